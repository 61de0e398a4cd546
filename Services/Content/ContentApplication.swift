package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the content service, for the command and for the tests.
package enum ContentApplication: ServiceApplication {
    package static let name = ContentAPI.service
    package static let title = ContentAPI.title
    package static let endpoints = ContentAPI.endpoints
    package static let peers: [ServiceName] = [.directory]
    package static let migrations = [
        ServiceMigrations.merges,
        Migration("0001-resource", sql: PackageResources.m0001_resource_sql),
        Migration("0002-issue", sql: PackageResources.m0002_issue_sql),
        Migration("0003-delivery", sql: PackageResources.m0003_delivery_sql),
        Migration("0004-letter", sql: PackageResources.m0004_letter_sql),
        Migration("0005-suppression", sql: PackageResources.m0005_suppression_sql),
        Migration("0006-outgoing-mail", sql: PackageResources.m0006_outgoing_mail_sql),
        Migration("0007-letter-attachment", sql: PackageResources.m0007_letter_attachment_sql),
        Migration("0008-mail-report", sql: PackageResources.m0008_mail_report_sql),
        Migration("0009-reader-preference", sql: PackageResources.m0009_reader_preference_sql),
        Migration("0010-issue-correction", sql: PackageResources.m0010_issue_correction_sql),
        Migration("0011-mail-attempt", sql: PackageResources.m0011_mail_attempt_sql),
    ]

    package static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        ResourceRoutes(backend: backend).mount(on: &builder)
        merges.mount(on: &builder)
        let configuration = backend.configuration
        let transport = try MailTransports.named(by: configuration.mailURL, as: configuration.mailName)
        let letterTransport = try MailTransports.ofLetters(by: configuration.letterMailURL, as: configuration.mailName)
        let rules = try configuration.mailLimitsFile.map(MailLimitsFile.init(path:)) ?? MailLimitsFile()
        let returnPath = try configuration.mailReturn.map { try ReturnPath($0, links: backend.links) }
        let signer = try Self.signer(
            configuration.dkimKeysFile, for: [transport.sender] + (letterTransport.map { [$0.sender] } ?? []))
        let dns = DNSClient(try configuration.nameServers.map(ResolverConfiguration.init(servers:)) ?? .system())
        let identity = try configuration.senderFile.map(SenderIdentity.init(path:))
        let flashInfo = try FlashInfoRenderer(identity: identity)
        let checks = IssueChecks(
            hasSender: identity != nil, publicURL: configuration.publicURL, renderer: flashInfo)
        let editors = Editors(email: configuration.editorsEmail)
        let hold = IssueHold(editors: editors)
        let issueGuard = IssueGuard(database: backend.database, hold: hold)
        issueGuard.mount(on: &builder)
        var mail = MailDispatcher(
            database: backend.database, transport: transport, rules: rules,
            composer: MailComposers(
                deliveries: FlashInfoComposer(
                    backend: backend, renderer: flashInfo, sender: transport.sender, returnPath: returnPath),
                letters: LetterComposer(
                    backend: backend, renderer: try LetterRenderer(identity: identity),
                    sender: (letterTransport ?? transport).sender, returnPath: returnPath)),
            signer: signer, returnPath: returnPath,
            pauseIssue: issueGuard.pause, logger: backend.logger)
        var letterWork: MailWork?
        if let letterTransport {
            mail.repeatable = .init(
                deliveries: transport.repeatsHarmlessly, letters: letterTransport.repeatsHarmlessly)
            mail.mails = .deliveries
            var letters = mail
            (letters.transport, letters.mails, letters.work) = (letterTransport, .letters, MailWork())
            letterWork = letters.work
            builder.run(letters)
        }
        builder.run(mail)
        let senders = [mail.work, letterWork].compactMap { $0 }
        builder.watch(
            "mail", "unreachable", gauge: "mail_servers_unreachable", help: "Mail servers that cannot be reached.",
            output: { _ in "the mail server cannot be reached; no attempt is counted" },
            count: { senders.count(where: \.isCutOff) })
        MailCheckRoutes(
            checks: MailChecks(
                sender: transport.sender, returnDomain: returnPath?.domain ?? transport.sender.domain, signer: signer,
                publicURL: configuration.publicURL, dns: dns)
        ).mount(on: &builder)
        let finder = LaneFinder(client: dns)
        let sender = IssueSender(
            backend: backend, assignment: LaneAssignment(finder: finder, store: mail.lanes), checks: checks, hold: hold)
        sender.mount(on: &builder)
        IssueDraftRoutes(backend: backend, checks: checks).mount(on: &builder)
        IssueCorrectionRoutes(backend: backend).mount(on: &builder)
        IssueTestRoutes(backend: backend, renderer: flashInfo).mount(on: &builder)
        IssueRoutes(backend: backend, sender: sender).mount(on: &builder)
        IssueFiguresRoutes(backend: backend).mount(on: &builder)
        DeliveryRoutes(backend: backend).mount(on: &builder)
        SuppressionRoutes(backend: backend).mount(on: &builder)
        let reading = InboundReading(
            database: backend.database, finder: MailFinder(returnPath: returnPath), editors: editors)
        reading.mount(on: &builder)
        InboundRoutes(backend: backend, reading: reading).mount(on: &builder)
        MailReports(database: backend.database).mount(on: &builder)
        if let inbox = configuration.mailInbox {
            builder.run(InboundMaildir(path: inbox, database: backend.database, logger: backend.logger))
        }
        SuppressionImportRoutes(backend: backend).mount(on: &builder)
        LaneRoutes(backend: backend, rules: rules, connections: transport.connections).mount(on: &builder)
        LetterRoutes(backend: backend).mount(on: &builder)
        ReaderRoutes(backend: backend, pages: try ReaderPages()).mount(on: &builder)
        PreferenceLinks(backend: backend).mount(on: &builder)
        ReaderFollower().mount(on: &builder)
        ContentRights(backend: backend).mount(on: &builder)
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

    /// The resources of a merged organization move to the survivor.
    static let merges = MergeFollower([
        .organization: .moving(MergedRows("resource", naming: "organization"), .resource, by: .content)
    ])
}
