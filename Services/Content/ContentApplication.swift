package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the content service; the command and the tests use the same.
package enum ContentApplication: ServiceApplication {
    package static let name = ContentAPI.service
    package static let title = ContentAPI.title
    package static let endpoints = ContentAPI.endpoints
    package static let peers: [ServiceName] = [.directory]
    package static let migrations = [
        Migration("0001-resources", sql: PackageResources.m0001_resources_sql),
        Migration("0002-issues", sql: PackageResources.m0002_issues_sql),
        Migration("0003-deliveries", sql: PackageResources.m0003_deliveries_sql),
        Migration("0004-letters", sql: PackageResources.m0004_letters_sql),
        Migration("0005-rights", sql: PackageResources.m0005_rights_sql),
        Migration("0006-merges", sql: PackageResources.m0006_merges_sql),
        Migration("0007-suppressions", sql: PackageResources.m0007_suppressions_sql),
        Migration("0008-published-resources", sql: PackageResources.m0008_published_resources_sql),
    ]

    package static func assemble(_ backend: Backend, into parts: inout ServiceParts) throws {
        ResourceRoutes(backend: backend).mount(on: &parts)
        parts.follow(.directory, name: "merges", ResourceMerges.apply)
        IssueRoutes(backend: backend).mount(on: &parts)
        DeliveryRoutes(backend: backend).mount(on: &parts)
        let transport = try MailTransports.named(by: backend.configuration.mailURL)
        IssueSender(backend: backend, transport: transport, renderer: try FlashInfoRenderer()).mount(on: &parts)
        LetterRoutes(backend: backend).mount(on: &parts)
        LetterSender(backend: backend, transport: transport, renderer: try LetterRenderer()).mount(on: &parts)
        try ContentRights(backend: backend).mount(on: &parts)
    }
}
