import HTTPTypes

/// An imported bank file: the credits and debits of an account.
package struct BankStatement: Codable, Hashable, Sendable {
    package typealias ID = Identifier<BankStatement>

    package enum Format: String, Codable, CaseIterable, Sendable {
        /// A table, as banks export it.
        case csv
        /// ISO 20022, `camt.053.001.02` to `.13`.
        case camt053
    }

    /// A row or an entry that was skipped, and why.
    package struct Fault: Codable, Hashable, Sendable {
        /// Counted from 1: rows after the header of a table, entries of a camt.053 file.
        package var place: Int
        package var detail: String

        package init(place: Int, detail: String) {
            self.place = place
            self.detail = detail
        }
    }

    package var id: ID
    package var format: Format
    /// The file's name, as given by the sender.
    package var name: Line?
    /// The accounts in the file: IBANs, or the bank's own numbers.
    package var accounts: [Line]
    /// Of the file, in hexadecimal.
    package var sha256: Line
    /// The number of lines read; the sum of the next three.
    package var lines: Int
    package var added: Int
    /// Lines that an earlier file already contained.
    package var known: Int
    /// Lines that cannot be booked: balances, pending entries, other currencies, neither debit nor credit.
    package var rejected: Int
    /// The first thousand.
    package var faults: [Fault]
    /// Headers of table columns that have values but were ignored: balances, categories, other dates.
    package var ignored: [Line]
    package var createdAt: Timestamp
}

/// Imports a bank file: a table with the headers used by French banks (date, libellé, débit and crédit or montant,
/// …), in UTF-8 or Windows-1252, with any text before and after it; or camt.053. A line is imported once, even if
/// several files contain it. It is identified by the bank's own reference, or by day, amount, text and the number of
/// equal lines before it. If two files word one payment differently, the two lines are `alike`. A table with an
/// unclosed quote is refused. Importing the same file again responds 200 with the first result. Nothing is booked: a
/// person accepts the proposals for each line.
package enum ImportBankStatement: Endpoint {
    package static let operation = Operation(
        .post, "/v1/bank-statements", "Imports a bank statement: CSV as banks export it, or camt.053.",
        success: .created,
        alternatives: [.ok], access: .roles(.operator), consumes: .csv, alsoConsumes: [.xml])

    package struct Query: Codable, Sendable {
        /// The account, if a table does not state an IBAN: the IBAN or the bank's own number. A number matches the
        /// IBAN that contains it.
        package var account: Line?
        /// The name of the file.
        package var name: Line?

        package init(account: Line? = nil, name: Line? = nil) {
            self.account = account
            self.name = name
        }
    }

    package typealias Response = BankStatement
}

/// Lists bank statements, latest first.
package enum ListBankStatements: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-statements", "Lists bank statements, the latest first.", access: .roles(.operator, .auditor))

    package typealias Query = Paged<Empty>
    package typealias Response = Page<BankStatement>
}

/// Shows one bank statement.
package enum GetBankStatement: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-statements/{statement}", "Shows a bank statement.", access: .roles(.operator, .auditor),
        problems: [.notFound])

    package typealias Path = BankStatement.ID
    package typealias Response = BankStatement
}
