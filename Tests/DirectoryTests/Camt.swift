import ClubProtocol

/// Writes statements in the order of elements that the schema of ISO 20022 camt.053 prescribes.
struct Camt {
    struct Part {
        var cents: Int
        var payer: String?
        var iban: String?
        var text: String?
        var structured: String?
        var reference: String?
        var endToEnd: String?
        /// The ultimate debtor.
        var ultimate: String?
        /// The reason for the return.
        var returned: String?
        /// The bank's additional information.
        var more: String?
        /// How its amount is given.
        var amount = Amount.own
    }

    enum Amount {
        case own, none
        /// Only the amount instructed by the payer.
        case instructed(String)
    }

    struct Entry {
        var cents: Int
        var day: String
        var reference: String? = nil
        var number: String? = nil
        var status = "BOOK"
        /// Of the booking; by default only the day is given.
        var time: String? = nil
        var isReversal = false
        var currency = "EUR"
        var parts: [Part] = []
        var more: String? = nil
    }

    /// 2 to 13.
    var version = 8
    var account = "FR7630006000011234567890189"
    var owner: String? = nil
    var statements: [[Entry]]

    var text: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.\(version < 10 ? "0" : "")\(version)">
        <BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-28T06:00:00+01:00</CreDtTm></GrpHdr>
        \(statements.enumerated().map { statement($0.offset + 1, $0.element) }.joined())
        </BkToCstmrStmt></Document>
        """
    }

    private func statement(_ number: Int, _ entries: [Entry]) -> String {
        """
        <Stmt><Id>S\(number)</Id><ElctrncSeqNb>\(number)</ElctrncSeqNb><CreDtTm>2026-11-28T06:00:00+01:00</CreDtTm>
        <Acct><Id><IBAN>\(account)</IBAN></Id><Ccy>EUR</Ccy>\(tag("Ownr", raw: tag("Nm", owner)))</Acct>
        <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
        <Dt><Dt>2026-11-27</Dt></Dt></Bal>
        \(entries.map(entry).joined())</Stmt>
        """
    }

    private func entry(_ entry: Entry) -> String {
        let status = version < 4 ? entry.status : "<Cd>\(entry.status)</Cd>"
        let parts = entry.parts.map { part($0, in: entry) }.joined()
        return "<Ntry>" + tag("NtryRef", entry.number) + amount(entry.cents, entry.currency)
            + direction(entry.cents) + (entry.isReversal ? "<RvslInd>true</RvslInd>" : "") + "<Sts>\(status)</Sts>"
            + "<BookgDt>\(entry.time.map { tag("DtTm", $0) } ?? tag("Dt", entry.day))</BookgDt><ValDt><DtTm>\(entry.day)T00:00:00+01:00</DtTm></ValDt>"
            + tag("AcctSvcrRef", entry.reference)
            + "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
            + (parts.isEmpty ? "" : "<NtryDtls>\(parts)</NtryDtls>") + tag("AddtlNtryInf", entry.more) + "</Ntry>\n"
    }

    private func part(_ part: Part, in entry: Entry) -> String {
        let isFromDebtor = (part.cents > 0) != entry.isReversal
        let name = part.payer.map { version < 8 ? tag("Nm", $0) : "<Pty>\(tag("Nm", $0))</Pty>" } ?? ""
        let other = version < 8 ? "<Nm>Le Club</Nm>" : "<Pty><Nm>Le Club</Nm></Pty>"
        let account = part.iban.map { "<Id><IBAN>\($0)</IBAN></Id>" }
        // In a return, the parties are those of the original payment.
        let (debtor, creditor) = isFromDebtor || part.returned != nil ? (name, other) : (other, name)
        let ultimate = part.ultimate.map { version < 8 ? tag("Nm", $0) : "<Pty>\(tag("Nm", $0))</Pty>" } ?? ""
        let parties =
            "<RltdPties>" + tag("Dbtr", raw: debtor) + tag("DbtrAcct", raw: isFromDebtor ? account ?? "" : "")
            + tag("UltmtDbtr", raw: ultimate) + tag("Cdtr", raw: creditor)
            + tag("CdtrAcct", raw: isFromDebtor ? "" : account ?? "") + "</RltdPties>"
        let strd =
            part.structured.map {
                "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>\(tag("Ref", $0))</CdtrRefInf></Strd>"
            } ?? ""
        let sum =
            switch part.amount {
            case .own where version < 4: "<AmtDtls><TxAmt>\(amount(part.cents, "EUR"))</TxAmt></AmtDtls>"
            case .own: amount(part.cents, "EUR") + direction(part.cents)
            case .instructed(let currency): "<AmtDtls><InstdAmt>\(amount(part.cents, currency))</InstdAmt></AmtDtls>"
            case .none: ""
            }
        return "<TxDtls><Refs>" + tag("AcctSvcrRef", part.reference) + tag("EndToEndId", part.endToEnd ?? "NOTPROVIDED")
            + "</Refs>" + sum + parties + tag("RmtInf", raw: tag("Ustrd", part.text) + strd)
            + tag("RtrInf", raw: part.returned.map { "<Rsn><Cd>AM04</Cd></Rsn>" + tag("AddtlInf", $0) } ?? "")
            + tag("AddtlTxInf", part.more) + "</TxDtls>"
    }

    private func amount(_ cents: Int, _ currency: String) -> String {
        let digits = String(abs(cents) + 1000)
        let whole = abs(cents) / 100
        return "<Amt Ccy=\"\(currency)\">\(whole).\(digits.suffix(2))</Amt>"
    }

    private func direction(_ cents: Int) -> String { "<CdtDbtInd>\(cents > 0 ? "CRDT" : "DBIT")</CdtDbtInd>" }

    private func tag(_ name: String, _ text: String?) -> String {
        tag(name, raw: text.map { $0.replacing("&", with: "&amp;").replacing("<", with: "&lt;") } ?? "")
    }

    private func tag(_ name: String, raw: String) -> String { raw.isEmpty ? "" : "<\(name)>\(raw)</\(name)>" }
}
