import ClubProtocol

/// A camt.053 entry while it is read.
struct CamtEntry {
    /// The data of an entry, or of a part of it.
    struct Movement {
        var amount: String?
        var currency: String?
        /// The amount the payer instructed, before charges and exchange.
        var instructed: (String, String?)?
        var direction: String?
        var reference: String?
        var endToEnd: String?
        var debtor = Party()
        var creditor = Party()
        var remittance: [String] = []
        /// What the bank adds to the payer's text.
        var more: [String] = []
        /// Whether it has a return reason.
        var isReturn = false
        var isReadable = true
    }

    struct Party {
        var name: String?
        /// The party on whose behalf it paid or was paid.
        var ultimate: String?
        var iban: String?

        var isEmpty: Bool { name == nil && ultimate == nil && iban == nil }
    }

    var whole = Movement()
    var number: String?
    var isReversal = false
    var status: String?
    var bookedOn: String?
    var valueOn: String?
    var parts: [Movement] = []
    var more: String?

    /// - Parameters:
    ///   - inner: the path, within the entry, of an element that ends.
    ///   - currency: its attribute `Ccy`.
    mutating func set(_ inner: [String], _ value: String?, currency: String?) {
        switch inner {
        case ["NtryRef"]: number = value.flatMap(BankText.reference)
        case ["RvslInd"]: isReversal = ["true", "1"].contains { value?.hasSameBytes(as: $0) == true }
        // Text up to .03, a code from .04 on.
        case ["Sts"], ["Sts", "Cd"]: if let value { status = value }
        case ["BookgDt", "Dt"], ["BookgDt", "DtTm"]: bookedOn = value
        case ["ValDt", "Dt"], ["ValDt", "DtTm"]: valueOn = value
        case ["AddtlNtryInf"]: more = value
        case ["AcctSvcrRef"]: whole.reference = value.flatMap(BankText.reference)
        case ["Amt"]: (whole.amount, whole.currency) = (value, currency)
        case ["CdtDbtInd"]: whole.direction = value
        default: break
        }
    }

    /// The party that is not the account's owner: the debtor of incoming money, the creditor of outgoing money; for
    /// reversals and returns the other way round, as their parties are those of the original payment. Some banks mark a
    /// return only as outgoing: then the owner is recognized by account or name.
    func counterparty(
        of part: Movement, cents: Int, account: String, owner: String?
    ) -> Party {
        func isOwn(_ party: Party) -> Bool {
            if let iban = party.iban, BankAccount.isOne(iban, account) { return true }
            let key = Folding.key(party.name ?? "")
            return !key.isEmpty && key.hasSameBytes(as: Folding.key(owner ?? ""))
        }
        let isFromDebtor = (cents > 0) != (isReversal || part.isReturn)
        let (party, other) = isFromDebtor ? (part.debtor, part.creditor) : (part.creditor, part.debtor)
        return isOwn(party) && !other.isEmpty && !isOwn(other) ? other : party
    }
}

extension CamtEntry.Movement {
    /// The same for a part of an entry.
    mutating func set(_ inner: [String], _ value: String?, currency: String?) {
        switch inner {
        case ["Refs", "AcctSvcrRef"]: reference = value.flatMap(BankText.reference)
        case ["Refs", "EndToEndId"]: endToEnd = value.flatMap(BankText.reference)
        case ["Amt"]: (amount, self.currency) = (value, currency)
        // Up to .03 the amount is only here.
        case ["AmtDtls", "TxAmt", "Amt"]: if amount == nil { (amount, self.currency) = (value, currency) }
        case ["AmtDtls", "InstdAmt", "Amt"]: instructed = value.map { ($0, currency) }
        case ["CdtDbtInd"]: direction = value
        // Since .08 within `Pty`.
        case ["RltdPties", "Dbtr", "Nm"], ["RltdPties", "Dbtr", "Pty", "Nm"]: debtor.name = value
        case ["RltdPties", "Cdtr", "Nm"], ["RltdPties", "Cdtr", "Pty", "Nm"]: creditor.name = value
        case ["RltdPties", "UltmtDbtr", "Nm"], ["RltdPties", "UltmtDbtr", "Pty", "Nm"]: debtor.ultimate = value
        case ["RltdPties", "UltmtCdtr", "Nm"], ["RltdPties", "UltmtCdtr", "Pty", "Nm"]: creditor.ultimate = value
        case ["RltdPties", "DbtrAcct", "Id", "IBAN"]: debtor.iban = value
        case ["RltdPties", "CdtrAcct", "Id", "IBAN"]: creditor.iban = value
        case ["RmtInf", "Ustrd"], ["RmtInf", "Strd", "CdtrRefInf", "Ref"], ["RmtInf", "Strd", "AddtlRmtInf"],
            ["RmtInf", "Strd", "RfrdDocInf", "Nb"]:
            if let value, remittance.count < 20 { remittance.append(value) }
        case ["RtrInf"]: isReturn = true
        case ["RtrInf", "AddtlInf"], ["AddtlTxInf"]: if let value, more.count < 20 { more.append(value) }
        default: break
        }
    }
}
