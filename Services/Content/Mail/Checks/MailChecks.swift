import ClubProtocol
import ServiceKit

/// Looks at what providers look at, before they do. Without an answer of the DNS a result is unknown, never good.
struct MailChecks: Sendable {
    typealias Finding = (result: MailCheck.Result, detail: String)

    /// The address in `From`.
    let sender: EmailAddress
    /// Of the address in the envelope.
    let returnDomain: String
    /// Nil: mails are not signed.
    let signer: DKIMSigner?
    let publicURL: String?
    let dns: DNSClient
    /// For all of them together.
    var timeLimit = Duration.seconds(5)

    private struct Question: Sendable {
        var kind: MailCheck.Kind
        var name: String
        var find: @Sendable () async -> Finding
    }

    /// All at once; what is not found in time is unknown.
    func run() async -> [MailCheck] {
        let questions = questions
        var findings: [Finding?] = questions.map { _ in nil }
        let timeLimit = timeLimit
        await withTaskGroup(of: (place: Int, finding: Finding)?.self) { group in
            group.addTask {
                try? await Task.sleep(for: timeLimit)
                return nil
            }
            for (place, question) in questions.enumerated() {
                group.addTask { (place, await question.find()) }
            }
            for _ in questions {
                guard let found = await group.next(), let found else { break }
                findings[found.place] = found.finding
            }
            group.cancelAll()
        }
        return zip(questions, findings).map { question, finding in
            let (result, detail) = finding ?? Self.unknown("it did not answer in time")
            return MailCheck(kind: question.kind, name: question.name, result: result, detail: detail)
        }
    }

    private var questions: [Question] {
        let from = sender.domain
        return signatures + [
            Question(kind: .spf, name: returnDomain) { await servers() },
            Question(kind: .dmarc, name: "_dmarc.\(from)") { await policy().finding },
            Question(kind: .signatureAlignment, name: signer?.domain ?? from) { await signatureAlignment() },
            Question(kind: .returnAlignment, name: returnDomain) { await returnAlignment() },
            Question(kind: .returnExchanger, name: returnDomain) { await exchangers() },
            Question(kind: .publicURL, name: "PUBLIC_URL") { links },
        ]
    }

    private static func unknown(_ reason: String) -> Finding {
        (.unknown, "The DNS says nothing (\(reason)): check again when it answers.")
    }

    // MARK: Signatures

    private var signatures: [Question] {
        guard let signer else {
            return [
                Question(kind: .dkim, name: "DKIM_KEYS_FILE") {
                    (.wrong, "Mails are not signed: set DKIM_KEYS_FILE.")
                }
            ]
        }
        return signer.keys.map { key in
            let name = "\(key.selector)._domainkey.\(signer.domain)"
            return Question(kind: .dkim, name: name) { await publication(of: key, at: name) }
        }
    }

    private func publication(of key: DKIMKey, at name: String) async -> Finding {
        switch await dns.texts(of: name) {
        case .found(let texts):
            let ours = DNSTags(key.record)
            let isPublished = texts.map(DNSTags.init).contains { published in
                published.withoutBlanks("p") == ours.withoutBlanks("p")
                    && (published["k"] ?? "rsa").asciiLowercased == ours["k"]
            }
            guard !isPublished else { return (.ok, "The published key is ours.") }
            return (.wrong, "Another key is published, and our signatures are invalid: publish \(key.record)")
        case .none: return (.wrong, "No key is published, and our signatures are invalid: publish \(key.record)")
        case .unknown(let reason): return Self.unknown(reason)
        }
    }

    // MARK: Servers

    private func servers() async -> Finding {
        switch await dns.texts(of: returnDomain) {
        case .found(let texts):
            let records = texts.map(\.asciiLowercased).filter { text in
                text.hasSameBytes(as: "v=spf1") || text.hasBytePrefix("v=spf1 ")
            }
            guard let record = records.first else { return noServers }
            guard records.count == 1 else {
                return (.wrong, "There are \(records.count) SPF records, so none counts: leave one.")
            }
            let terms = record.split(atByte: UInt8(ascii: " "), omittingEmpty: true)
            guard !terms.contains(where: { $0.hasSameBytes(as: "all") || $0.hasSameBytes(as: "+all") }) else {
                return (.wrong, "It allows every server there is: end the SPF record with -all instead of +all.")
            }
            return (.ok, "There is an SPF record; whether it allows our mail server cannot be told from here.")
        case .none: return noServers
        case .unknown(let reason): return Self.unknown(reason)
        }
    }

    private var noServers: Finding {
        (.wrong, "There is no SPF record: publish one that allows our mail server, ending with -all.")
    }

    private func exchangers() async -> Finding {
        switch await dns.exchangers(of: returnDomain) {
        case .found(let exchangers):
            exchangers.contains { $0.host.isEmpty }
                ? (.wrong, "The domain says that it accepts no mail, so no bounce arrives: publish an MX record.")
                : (.ok, "Bounces go to \(exchangers.first?.host ?? "").")
        case .none: (.wrong, "There is no MX record, so no bounce arrives: publish one.")
        case .unknown(let reason): Self.unknown(reason)
        }
    }

    private var links: Finding {
        guard let publicURL else {
            return (.wrong, "It is not set, so readers cannot leave with one click: set it to an https address.")
        }
        return publicURL.asciiLowercased.hasBytePrefix("https://")
            ? (.ok, "Links in mails are encrypted.")
            : (.wrong, "Links in mails are not encrypted, so mail programs do not offer them: use an https address.")
    }

    // MARK: Alignment

    private func policy() async -> DMARCPolicy { await DMARCPolicy.find(for: sender.domain, by: dns) }

    private func signatureAlignment() async -> Finding {
        guard let domain = signer?.domain else { return (.wrong, "Mails are not signed: set DKIM_KEYS_FILE.") }
        return await alignment(of: domain, strictBy: "adkim", "sign with a key of \(sender.domain)")
    }

    private func returnAlignment() async -> Finding {
        await alignment(of: returnDomain, strictBy: "aspf", "use a return address of \(sender.domain)")
    }

    private func alignment(of domain: String, strictBy tag: String, _ advice: String) async -> Finding {
        let from = sender.domain
        if domain.hasSameBytes(as: from) { return (.ok, "It is the domain of From.") }
        let policy = await policy()
        if case .unknown(let reason) = policy { return Self.unknown(reason) }
        guard policy.aligns(domain, with: from, strictBy: tag) else {
            return (.wrong, "It is not aligned with \(from), the domain of From: \(advice).")
        }
        return (.ok, "It is aligned with \(from), the domain of From.")
    }
}
