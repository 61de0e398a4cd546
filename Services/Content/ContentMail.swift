import ClubProtocol
import ServiceKit

/// What the configuration says of mail: by which servers it goes, how it is signed, and who sends it.
struct ContentMail {
    let transport: any MailTransport
    /// Of letters; nil if they go with the rest.
    let letterTransport: (any MailTransport)?
    let rules: MailLimitsFile
    let returnPath: ReturnPath?
    let signer: DKIMSigner?
    let identity: SenderIdentity?
    let dns: DNSClient

    /// - Throws: what is wrong with a setting, in one line.
    init(_ configuration: ServiceConfiguration, links: SignedLinks) throws {
        transport = try MailTransports.named(by: configuration.mailURL, as: configuration.mailName)
        letterTransport = try MailTransports.ofLetters(by: configuration.letterMailURL, as: configuration.mailName)
        rules = try configuration.mailLimitsFile.map(MailLimitsFile.init(path:)) ?? MailLimitsFile()
        returnPath = try configuration.mailReturn.map { try ReturnPath($0, links: links) }
        signer = try Self.signer(
            configuration.dkimKeysFile, for: [transport.sender] + (letterTransport.map { [$0.sender] } ?? []))
        identity = try configuration.senderFile.map(SenderIdentity.init(path:))
        dns = DNSClient(try configuration.nameServers.map(ResolverConfiguration.init(servers:)) ?? .system())
    }

    /// - Throws: ``DKIMKeysInvalid``, also if the keys are not for the domain of a sender.
    private static func signer(_ file: String?, for senders: [EmailAddress]) throws -> DKIMSigner? {
        guard let file else { return nil }
        let signer = try DKIMSigner(keysFile: file)
        for sender in senders where !signer.signs(for: sender) {
            throw DKIMKeysInvalid(reason: "\(file): has keys for \(signer.domain), but mails are from \(sender)")
        }
        return signer
    }

    /// Makes the messages of deliveries and letters.
    func composers(_ backend: Backend, flashInfo: FlashInfoRenderer) throws -> MailComposers {
        MailComposers(
            deliveries: FlashInfoComposer(
                backend: backend, renderer: flashInfo, sender: transport.sender, returnPath: returnPath),
            letters: LetterComposer(
                backend: backend, renderer: try LetterRenderer(identity: identity),
                sender: (letterTransport ?? transport).sender, returnPath: returnPath))
    }

    /// Sends mail for as long as the service runs: letters on their own, if they have a server of their own.
    ///
    /// - Returns: the dispatcher of deliveries.
    func send(
        _ composers: MailComposers, pausing pauseIssue: @escaping IssuePause, for backend: Backend,
        in builder: inout ServiceBuilder
    ) -> MailDispatcher {
        var mail = MailDispatcher(
            database: backend.database, transport: transport, rules: rules, composer: composers, signer: signer,
            returnPath: returnPath, pauseIssue: pauseIssue, logger: backend.logger)
        var work = [mail.work]
        if let letterTransport {
            mail.repeatable = .init(
                deliveries: transport.repeatsHarmlessly, letters: letterTransport.repeatsHarmlessly)
            mail.mails = .deliveries
            var letters = mail
            (letters.transport, letters.mails, letters.work) = (letterTransport, .letters, MailWork())
            work.append(letters.work)
            builder.run(letters)
        }
        builder.run(mail)
        let senders = work
        builder.watch(
            "mail", "unreachable", gauge: "mail_servers_unreachable", help: "Mail servers that cannot be reached.",
            output: { _ in "the mail server cannot be reached; no attempt is counted" },
            count: { senders.count(where: \.isCutOff) })
        return mail
    }

    /// What providers judge a sender by.
    func checks(publicURL: String?) -> MailChecks {
        MailChecks(
            sender: transport.sender, returnDomain: returnPath?.domain ?? transport.sender.domain, signer: signer,
            publicURL: publicURL, dns: dns)
    }
}
