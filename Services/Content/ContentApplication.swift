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
        let settings = try ContentMail(configuration, links: backend.links)
        let flashInfo = try FlashInfoRenderer(identity: settings.identity)
        let checks = IssueChecks(
            hasSender: settings.identity != nil, publicURL: configuration.publicURL, renderer: flashInfo)
        let editors = Editors(email: configuration.editorsEmail)
        let hold = IssueHold(editors: editors)
        let issueGuard = IssueGuard(database: backend.database, hold: hold)
        issueGuard.mount(on: &builder)
        let mail = settings.send(
            try settings.composers(backend, flashInfo: flashInfo), pausing: issueGuard.pause, for: backend, in: &builder
        )
        MailCheckRoutes(checks: settings.checks(publicURL: configuration.publicURL)).mount(on: &builder)
        let finder = LaneFinder(client: settings.dns)
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
            database: backend.database, finder: MailFinder(returnPath: settings.returnPath), editors: editors)
        reading.mount(on: &builder)
        InboundRoutes(backend: backend, reading: reading).mount(on: &builder)
        MailReports(database: backend.database).mount(on: &builder)
        if let inbox = configuration.mailInbox {
            builder.run(InboundMaildir(path: inbox, database: backend.database, logger: backend.logger))
        }
        SuppressionImportRoutes(backend: backend).mount(on: &builder)
        LaneRoutes(backend: backend, rules: settings.rules, connections: settings.transport.connections).mount(
            on: &builder)
        LetterRoutes(backend: backend).mount(on: &builder)
        ReaderRoutes(backend: backend, pages: try ReaderPages()).mount(on: &builder)
        PreferenceLinks(backend: backend).mount(on: &builder)
        ReaderFollower().mount(on: &builder)
        ContentRights(backend: backend).mount(on: &builder)
    }

    /// The resources of a merged organization move to the survivor.
    static let merges = MergeFollower([
        .organization: .moving(MergedRows("resource", naming: "organization"), .resource, by: .content)
    ])
}
