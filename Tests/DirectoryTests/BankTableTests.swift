import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Bank exports: whatever the columns are called, each contains the same payment and the same fee.
@Suite("bank tables", .serialized)
struct BankTableTests {
    struct Table: Sendable, CustomTestStringConvertible {
        var bank: String
        var text: String
        /// Whether it is in Windows-1252.
        var isLatin = false
        var account: String? = BankStatementTests.account
        var ignored: [String] = []

        var testDescription: String { bank }
        var bytes: [UInt8] { isLatin ? BankStatementTests.latin(text) : Array(text.utf8) }
    }

    static let tables: [Table] = [
        Table(
            bank: "Crédit Agricole",
            text: """
                Téléchargement du 28/11/2026;\r
                \r
                Le Club;\r
                Compte de Dépôt carte n° 12345678901;\r
                Solde au 28/11/2026 1 234,56 €;\r
                \r
                Date;Libellé;Débit euros;Crédit euros;\r
                15/11/2026;"VIREMENT EN VOTRE FAVEUR \r
                SARL EPSILON \r
                COT 2026-1 \r
                ";;1 200,00;\r
                16/11/2026;"FRAIS \r
                ";12,50;;\r

                """, isLatin: true),
        Table(
            bank: "BNP Paribas",
            text: """
                Compte de chèques;Compte de chèques;****1234;28/11/2026;;1 234,56
                Date operation;Libelle court;Type operation;Libelle operation;Montant operation en euro
                15/11/2026;VIREMENT RECU;Virement;VIR SEPA RECU /DE SARL EPSILON /MOTIF COT 2026-1;1200,00
                16/11/2026;FRAIS;Frais;COMMISSIONS;-12,50
                """),
        Table(
            bank: "Société Générale",
            text: """
                ="0012345678901";01/11/2026;28/11/2026;2;29/11/2026;1 234,56 EUR

                Date de l'opération;Libellé;Détail de l'écriture;Montant de l'opération;Devise
                15/11/2026;VIR RECU    12;VIR RECU 1234567890S DE: SARL EPSILON MOTIF: COT 2026-1;1200,00;EUR
                16/11/2026;FRAIS;COTISATION JAZZ;-12,50;EUR
                """),
        Table(
            bank: "La Banque Postale",
            text: """
                Numéro Compte   :;1234567A020
                Type         :;CCP
                Compte tenu en  :;Euros
                Date              :;28/11/2026
                Solde (EUROS)   :;1234,56

                Date;Libellé;Montant(EUROS);Montant(FRANCS)
                15/11/2026;"VIREMENT DE SARL EPSILON COT 2026-1";1200,00;7871,48
                16/11/2026;"FRAIS";-12,50;-82,00
                """, isLatin: true, account: nil, ignored: ["Montant(FRANCS)"]),
        Table(
            bank: "Crédit Mutuel, CIC",
            text: """
                Date;Date de valeur;Débit;Crédit;Libellé;Solde
                15/11/2026;15/11/2026;;1200,00;VIR SARL EPSILON COT 2026-1;2434,56
                16/11/2026;16/11/2026;-12,50;;FRAIS;2422,06
                """, ignored: ["Solde"]),
        Table(
            bank: "LCL",
            text: """
                Date;Valeur;Libellé opération;Montant (EUR);Devise
                15/11/2026;15/11/2026;VIR SEPA SARL EPSILON 2026-1;1 200,00;EUR
                16/11/2026;16/11/2026;FRAIS;-12,50;EUR
                """),
        Table(
            bank: "Caisse d'Épargne",
            text: """
                Date de comptabilisation;Libelle simplifie;Libelle operation;Reference;Informations complementaires;\
                Type operation;Categorie;Sous categorie;Debit;Credit;Date operation;Date de valeur;Pointage operation
                15/11/2026;EPSILON;VIR SEPA SARL EPSILON;ABC123;COT 2026-1;Virement recu;X;Y;;+1200,00;14/11/2026;15/11/2026;0
                16/11/2026;FRAIS;FRAIS;ABC124;;Frais;X;Y;-12,50;;16/11/2026;16/11/2026;0
                """, ignored: ["Categorie", "Sous categorie", "Date operation", "Pointage operation"]),
        Table(
            bank: "Caisse d'Épargne, before",
            text: """
                Code de la banque : 12345;Code de l'agence : 00001;Numéro de compte : 04123456789;Nom du compte : LE CLUB
                Solde en fin de période;;;;1234,56
                Date;Numéro d'opération;Libellé;Débit;Crédit;Détail;
                15/11/26;0001;VIR SARL EPSILON;;1200,00;COT 2026-1;
                16/11/26;0002;FRAIS;-12,50;;;
                """, account: nil),
        Table(
            bank: "Qonto",
            text: """
                Statut;Date de la valeur (UTC);Date de l'opération (UTC);Date de l'opération (local);Débit;Crédit;Solde;\
                Nom de la contrepartie;Référence;Devise
                Exécuté;15-11-2026 10:00:00;14-11-2026 23:30:00;15-11-2026 00:30:00;;1200,00;1;Sarl Epsilon;COT 2026-1;EUR
                Exécuté;16-11-2026 10:00:00;15-11-2026 23:30:00;16-11-2026 00:30:00;12,50;;1;Qonto;Frais;EUR
                """, ignored: ["Date de l'opération (UTC)", "Solde"]),
        Table(
            bank: "Qonto, times of Greenwich alone",
            text: """
                Date de l'opération (UTC);Montant total (TTC);Nom de la contrepartie;Référence
                14-11-2026 23:30:00;1200,00;Sarl Epsilon;COT 2026-1
                15-11-2026 23:30:00;-12,50;Qonto;Frais
                """),
        Table(
            bank: "N26",
            text: """
                "Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Account Name",\
                "Amount (EUR)","Original Amount","Original Currency","Exchange Rate"
                2026-11-15,2026-11-15,"Sarl Epsilon",DE89370400440532013000,"Credit Transfer","COT 2026-1","Main",1200.00,,,
                2026-11-16,2026-11-16,"N26",,"Fee",,"Main",-12.50,12.00,USD,0.96
                """, ignored: ["Account Name", "Original Amount", "Original Currency", "Exchange Rate"]),
        Table(
            bank: "N26, in French",
            text: """
                "Date","Bénéficiaire","Numéro de compte","Type de transaction","Référence de paiement","Montant (EUR)"
                "2026-11-15","Sarl Epsilon","DE89370400440532013000","Virement","COT 2026-1","1200.0"
                "2026-11-16","N26","","Frais","","-12.5"
                """),
        Table(
            bank: "Boursorama",
            text: """
                dateOp;dateVal;label;category;categoryParent;supplierFound;amount;comment;accountNum;accountLabel;accountbalance
                2026-11-15;2026-11-15;"VIR SARL EPSILON COT 2026-1";"Virements";"Mouvements";"epsilon";"1 200,00";;00040123456;B;1.5
                2026-11-16;2026-11-16;"FRAIS";"Frais";"Frais";"frais";"-12,50";;00040123456;B;1.5
                """, account: nil, ignored: ["category", "categoryParent", "accountLabel", "accountbalance"]),
        Table(
            bank: "titles with currencies, and the whole text in a column of another name",
            text: """
                Date de comptabilisation;Libellé complet de l'opération;Débit en euros;Crédit en euros
                15/11/2026;VIR SEPA SARL EPSILON 2026-1;;1200,00
                16/11/2026;FRAIS;12,50;
                """),
        Table(
            bank: "titles that nobody knows",
            text: """
                Date;Bordereau;Debit Euro;Credit Euro;Texte du client
                15/11/2026;7;;1200,00;VIR SEPA SARL EPSILON 2026-1
                16/11/2026;8;12,50;;FRAIS
                """, ignored: ["Bordereau"]),
        Table(
            bank: "an amount in euros beside one in another currency",
            text: """
                Date;Libellé;Montant;Devise;Montant en EUR
                15/11/2026;VIR SEPA SARL EPSILON 2026-1;1300,00;USD;1200,00
                16/11/2026;FRAIS;-12,50;EUR;-12,50
                """, ignored: ["Montant"]),
        Table(
            bank: "a type that says which way",
            text: """
                Date;Libellé;Montant;Type
                15/11/2026;VIR SEPA SARL EPSILON 2026-1;1200,00;Crédit
                16/11/2026;FRAIS;12,50;Débit
                """),
    ]

    @Test("payer, amount and purpose are read from each bank's table; unused columns are listed", arguments: tables)
    func read(table: Table) async throws {
        try await withDirectory { directory in
            let query = table.account.map { "?account=\($0)" } ?? ""
            let statement = try await send(table.bytes, query, to: directory)
            #expect(statement.added == 2 && statement.rejected == 0, "\(statement.faults)")
            #expect(statement.ignored.map(\.text) == table.ignored)
            #expect(statement.accounts.count == 1)
            let lines = try await lines(directory)
            try #require(lines.count == 2)
            #expect(lines.map(\.amount.amount) == [-1250, 120_000])
            #expect(lines.map(\.bookedOn.text) == ["2026-11-16", "2026-11-15"])
            let text = lines[1].remittance?.text ?? ""
            #expect(PaymentReferences.numbers(in: text).map { "\($0.year)-\($0.number)" } == ["2026-1"], "\(text)")
            let payer = lines[1].counterparty?.text ?? PaymentReferences.payer(in: text)
            #expect(payer?.asciiUppercased == "SARL EPSILON", "\(text)")
            #expect(
                lines.allSatisfy { $0.counterpartyIBAN == nil || $0.counterpartyIBAN?.text.hasPrefix("DE") == true })
        }
    }

    @Test("in an export with newest lines first, a new line above a known one is told apart by any text column")
    func order() async throws {
        for title in ["Détail de l'écriture", "Texte que personne ne connaît"] {
            try await withDirectory { directory in
                let header = "Date de l'opération;Libellé;\(title);Montant de l'opération;Devise\n"
                let a = "20/11/2026;VIR RECU;VIR RECU 001 DE: CHAMBRE DE BETA MOTIF: COT 2026-2;1200,00;EUR\n"
                let b = "20/11/2026;VIR RECU;VIR RECU 002 DE: UNION GAMMA MOTIF: COT 2026-5;1200,00;EUR\n"
                let query = "?account=\(BankStatementTests.account)"
                #expect(try await send(Array((header + a).utf8), query, to: directory).added == 1)
                let evening = try await send(Array((header + b + a).utf8), query, to: directory)
                #expect(evening.added == 1 && evening.known == 1)
                let texts = try await lines(directory).compactMap { $0.remittance?.text }
                #expect(texts.contains { $0.contains("BETA") } && texts.contains { $0.contains("GAMMA") })
            }
        }
    }

    @Test("the direction is read in every bank's words; an unknown word excludes its row, by number")
    func direction() async throws {
        try await withDirectory { directory in
            let out = ["D", "DB", "Débit", "DEBIT", "Débiteur", "DBIT", "Sortie", "-", "\u{2212}", "dépense"]
            let came = ["C", "CR", "Crédit", "Créditeur", "CRDT", "Entrée", "+", "recette"]
            let other = ["X", "Virement", "--", "0", "D/C"]
            let rows = (out + came + other).map { "22/11/2026;A;12,00;\($0)\n" }.joined()
            let more = [
                // Empty: only where the sign of the amount gives the direction.
                "22/11/2026;signed;-12,00;\n", "22/11/2026;signed;+12,00;\n", "22/11/2026;none;12,00;\n",
                // The sign and the column together.
                "22/11/2026;same;-12,00;D\n", "22/11/2026;both;-12,00;C\n", "22/11/2026;both;+12,00;D\n",
            ].joined()
            let table = "Date;Libellé;Montant;Sens\n\(rows)\(more)"
            let statement = try await send(Array(table.utf8), "?account=1", to: directory)
            let first = out.count + came.count + 1
            #expect(
                statement.faults.map(\.place)
                    == Array(first..<(first + other.count))
                    + [first + other.count + 2, first + other.count + 4, first + other.count + 5])
            #expect(statement.added == out.count + came.count + 3)
            let all = try await lines(directory)
            #expect(all.filter { $0.amount.amount == -1200 }.count == out.count + 2)
            #expect(all.filter { $0.amount.amount == 1200 }.count == came.count + 1)
            // A column that is empty throughout says nothing about any row.
            let empty = Array("Date;Libellé;Montant;Sens\n23/11/2026;A;12,00;\n".utf8)
            #expect(try await send(empty, "?account=1", to: directory).added == 1)
            // With two amount columns it must not contradict them.
            let two = "Date;Débit;Crédit;Sens\n24/11/2026;;1,00;C\n24/11/2026;;1,00;D\n24/11/2026;1,00;;D\n"
            let both = try await send(Array(two.utf8), "?account=1", to: directory)
            #expect(both.added == 2 && both.faults.map(\.place) == [2])
        }
    }

    @Test("pending and refused transactions are not lines")
    func status() async throws {
        try await withDirectory { directory in
            let states = ["Exécuté", "completed", "", "En attente", "Refusé", "PENDING", "reverted"]
            let rows = states.map { "15/11/2026;A;1,00;\($0)\n" }.joined()
            let statement = try await send(
                Array("Date;Libellé;Montant;Statut\n\(rows)".utf8), "?account=1", to: directory)
            #expect(statement.added == 3 && statement.faults.map(\.place) == [4, 5, 6, 7])
        }
    }

    @Test("a file with a quote that is never closed, or only by another cell's, is refused: it would swallow rows")
    func quotes() async throws {
        try await withDirectory { directory in
            for rows in [
                "15/11/2026;\"CHEZ PAUL;1200,00\n16/11/2026;VIR A;1200,00\n17/11/2026;VIR B;1200,00\n",
                "15/11/2026;\"CHEZ PAUL;1200,00\n16/11/2026;\"VIR A\";1200,00\n17/11/2026;VIR B;1200,00\n",
                "15/11/2026;\"\(String(repeating: "x;1\n", count: 80_000))\";1200,00\n17/11/2026;VIR B;1200,00\n",
            ] {
                let answer = try await answer(Array("Date;Libellé;Montant\n\(rows)".utf8), "?account=1", to: directory)
                #expect(answer.status == 422 && answer.text.contains("Row 1 opens a quote"), "\(answer.text)")
            }
            #expect(try await lines(directory).isEmpty)
            // Quoted line ends and quotes within a line are unchanged.
            let good =
                "Date;Libellé;Montant\n15/11/2026;\"A\nB \"\"C\"\"\";1,00\n16/11/2026;\"A\"B;1,00\n17/11/2026;5\" x;1,00\n"
            #expect(try await send(Array(good.utf8), "?account=1", to: directory).added == 3)
        }
    }

    @Test("a time with a zone takes its day in Paris")
    func times() throws {
        for (text, day) in [
            ("2026-11-14T23:30:00Z", "2026-11-15"), ("2026-11-14T22:30:00Z", "2026-11-14"),
            ("2026-07-14T22:30:00Z", "2026-07-15"), ("2026-07-14T22:30:00.123456789+00:00", "2026-07-15"),
            ("2026-11-15T00:30:00+02:00", "2026-11-14"), ("2026-11-14 23:30:00 UTC", "2026-11-15"),
            ("2026-11-14T20:30:00-05", "2026-11-15"), ("2026-11-14T23:30:00", "2026-11-14"),
            ("2026-11-14T24:00:00+0100", "2026-11-15"), ("14/11/2026 23:30", "2026-11-14"),
            ("14/11/2026 hier", "2026-11-14"), ("14.11.26", "2026-11-14"), ("2026-11-14T23:30:00+01:00", "2026-11-14"),
        ] { #expect(try BankDay.day(text, of: .payment).text == day, "\(text)") }
        #expect(try BankDay.day("14-11-2026 23:30:00", of: .payment, isUTC: true).text == "2026-11-15")
        #expect(try BankDay.day("14-11-2026", of: .payment, isUTC: true).text == "2026-11-14")
        for text in ["", "2026-11-31T10:00:00Z", "T23:30:00Z", "2026-11", "1980-01-01T00:00:00Z"] {
            #expect(throws: InvalidText.self, "\(text)") { try BankDay.day(text, of: .payment) }
        }
    }

    // MARK: -

    private func answer(_ bytes: [UInt8], _ query: String, to directory: TestService) async throws -> RawAnswer {
        try await directory.raw(
            .post, "/v1/bank-statements\(query)", role: .operator, headers: ["Content-Type": "text/csv"], body: bytes)
    }

    private func send(_ bytes: [UInt8], _ query: String, to directory: TestService) async throws -> BankStatement {
        let answer = try await answer(bytes, query, to: directory)
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.decode(BankStatement.self)
    }

    private func lines(_ directory: TestService) async throws -> [BankLine] {
        try await directory.client(.operator).send(ListBankLines.request(query: .init(limit: 200))).items
    }
}
