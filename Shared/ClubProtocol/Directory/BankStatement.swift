import HTTPTypes

/// A file of a bank that was taken: what an account had come in and go out.
package struct BankStatement: Codable, Hashable, Sendable {
    package typealias ID = Identifier<BankStatement>

    package enum Format: String, Codable, CaseIterable, Sendable {
        /// A table as banks export it.
        case csv
        /// ISO 20022, `camt.053.001.02` to `.13`.
        case camt053
    }

    /// A row or an entry that was left out, and why.
    package struct Fault: Codable, Hashable, Sendable {
        /// Counted from 1: of a table the rows after the headers, of camt.053 the entries.
        package var place: Int
        package var detail: String

        package init(place: Int, detail: String) {
            self.place = place
            self.detail = detail
        }
    }

    package var id: ID
    package var format: Format
    /// The file's name, as its sender gave it.
    package var name: Line?
    /// Whose lines it holds: IBANs, or the bank's own numbers.
    package var accounts: [Line]
    /// Of the file, in hexadecimal digits.
    package var sha256: Line
    /// Lines that were read; the sum of the three that follow.
    package var lines: Int
    package var added: Int
    /// Lines that were there already, of a file before.
    package var known: Int
    /// Lines that say nothing that can be booked: balances, what is not booked yet, other currencies, neither debit nor credit.
    package var rejected: Int
    /// The first thousand of them.
    package var faults: [Fault]
    /// Titles of columns of a table that hold something of which nothing was taken: balances, categories, further days.
    package var ignored: [Line]
    package var createdAt: Timestamp
}

/// Takes a file of a bank: a table with the headers that French banks write (date, libellé, débit and crédit or montant, …), in UTF-8
/// or Windows-1252, with whatever stands before and after it; or camt.053. A line is taken once, whichever files it stands in: by the
/// bank's own reference, or by day, amount and text, and how many there were before it. Two files that tell one payment in other words
/// make lines that are `alike`. A table with a quote that is not closed is refused. The same file again is answered 200, as the first time. Nothing is booked by it: a person accepts what is proposed for each line.
package enum ImportBankStatement: Endpoint {
    package static let operation = Operation(
        .post, "/v1/bank-statements", "Takes a bank statement: CSV as banks export it, or camt.053.", success: .created,
        alternatives: [.ok], access: .roles(.operator), consumes: .csv, alsoConsumes: [.xml])

    package struct Query: Codable, Sendable {
        /// Whose statement it is, where a table does not say an IBAN: that, or the bank's own number. A number is that of the IBAN which
        /// holds it.
        package var account: Line?
        /// Of the file.
        package var name: Line?

        package init(account: Line? = nil, name: Line? = nil) {
            self.account = account
            self.name = name
        }
    }

    package typealias Response = BankStatement
}

/// Lists bank statements, the latest first.
package enum ListBankStatements: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-statements", "Lists bank statements, the latest first.", access: .roles(.operator, .auditor))

    package struct Query: Codable, Sendable, PagedQuery {
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<BankStatement>
}

/// Shows one bank statement.
package enum GetBankStatement: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-statements/{statement}", "Shows a bank statement.", access: .roles(.operator, .auditor),
        problems: [.notFound])

    package typealias Path = BankStatementPath
    package typealias Response = BankStatement
}

/// `/v1/bank-statements/{statement}`
package struct BankStatementPath: Codable, Sendable {
    package var statement: BankStatement.ID

    package init(statement: BankStatement.ID) {
        self.statement = statement
    }
}
