package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the directory; used by the command and the tests.
package enum DirectoryApplication: ServiceApplication {
    package static let name = DirectoryAPI.service
    package static let title = DirectoryAPI.title
    package static let endpoints = DirectoryAPI.endpoints
    package static let peers: [ServiceName] = [.events, .content, .lobbying]
    package static let migrations = [
        Migration("0001-text", sql: PackageResources.m0001_text_sql),
        Migration("0002-contact", sql: PackageResources.m0002_contact_sql),
        Migration("0003-place", sql: PackageResources.m0003_place_sql),
        Migration("0004-vocabulary", sql: PackageResources.m0004_vocabulary_sql),
        Migration("0005-organization", sql: PackageResources.m0005_organization_sql),
        Migration("0006-person", sql: PackageResources.m0006_person_sql),
        Migration("0007-mandate", sql: PackageResources.m0007_mandate_sql),
        Migration("0008-ambassador", sql: PackageResources.m0008_ambassador_sql),
        Migration("0009-expert", sql: PackageResources.m0009_expert_sql),
        Migration("0010-expert-search", sql: PackageResources.m0010_expert_search_sql),
        Migration("0011-address", sql: PackageResources.m0011_address_sql),
        Migration("0012-name", sql: PackageResources.m0012_name_sql),
        Migration("0013-consent", sql: PackageResources.m0013_consent_sql),
        Migration("0014-membership", sql: PackageResources.m0014_membership_sql),
        Migration("0015-bank", sql: PackageResources.m0015_bank_sql),
        Migration("0016-contribution", sql: PackageResources.m0016_contribution_sql),
        Migration("0017-credit", sql: PackageResources.m0017_credit_sql),
        Migration("0018-receipt", sql: PackageResources.m0018_receipt_sql),
        Migration("0019-merge", sql: PackageResources.m0019_merge_sql),
        Migration("0020-erasure", sql: PackageResources.m0020_erasure_sql),
        Migration("0021-import", sql: PackageResources.m0021_import_sql),
        Migration("0022-referral", sql: PackageResources.m0022_referral_sql),
        Migration("0023-confirmation", sql: PackageResources.m0023_confirmation_sql),
        Migration("0024-reference-data", sql: PackageResources.m0024_reference_data_sql),
        Migration("0025-luhn", sql: PackageResources.m0025_luhn_sql),
        Migration("0026-row-functions", sql: PackageResources.m0026_row_functions_sql),
        Migration("0027-estimates", sql: PackageResources.m0027_estimates_sql),
        Migration("0028-left-place", sql: PackageResources.m0028_left_place_sql),
        Migration("0029-unreachable", sql: PackageResources.m0029_unreachable_sql),
    ]

    package static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        let pages = try PageRenderer()
        pages.mountProblems(on: &builder)
        CallerRoutes(backend: backend).mount(on: &builder)
        VocabularyRoutes(backend: backend).mount(on: &builder)
        OrganizationRoutes(backend: backend).mount(on: &builder)
        MandateRoutes(backend: backend).mount(on: &builder)
        PersonRoutes(backend: backend).mount(on: &builder)
        MembershipRoutes(backend: backend).mount(on: &builder)
        ContributionRoutes(backend: backend).mount(on: &builder)
        CreditRoutes(backend: backend).mount(on: &builder)
        BankStatementRoutes(backend: backend).mount(on: &builder)
        BankLineRoutes(backend: backend).mount(on: &builder)
        MemberRoutes(backend: backend).mount(on: &builder)
        AmbassadorRoutes(backend: backend).mount(on: &builder)
        ExpertRoutes(backend: backend).mount(on: &builder)
        SearchRoutes(backend: backend).mount(on: &builder)
        EnrolmentRoutes(backend: backend).mount(on: &builder)
        let letters = try LetterClient(backend: backend)
        ConfirmationCampaign(backend: backend, letters: letters).mount(on: &builder)
        try ReminderCampaign(backend: backend, letters: letters).mount(on: &builder)
        let documents = ContributionDocuments(backend: backend)
        ReceiptRoutes(backend: backend, letters: letters, pages: pages, documents: documents).mount(on: &builder)
        ContributionCallRoutes(backend: backend, pages: pages, documents: documents).mount(on: &builder)
        let links = SelfServiceLinks(backend: backend, letters: letters)
        links.mount(on: &builder)
        SelfServiceRoutes(backend: backend, pages: SelfServicePages(renderer: pages), links: links).mount(on: &builder)
        DuplicateRoutes(backend: backend).mount(on: &builder)
        PossibleDuplicateRoutes(backend: backend).mount(on: &builder)
        MergeRoutes(backend: backend).mount(on: &builder)
        ExportRoutes(backend: backend).mount(on: &builder)
        TreasurerTableRoutes(backend: backend).mount(on: &builder)
        ImportRoutes(backend: backend).mount(on: &builder)
        AudienceRoutes(backend: backend).mount(on: &builder)
        try CoverageRoutes(backend: backend).mount(on: &builder)
        ReferralRoutes(backend: backend).mount(on: &builder)
        ReferralOfferRoutes(backend: backend).mount(on: &builder)
        ReferralLetters(backend: backend, letters: letters).mount(on: &builder)
        ReferralPageRoutes(backend: backend, renderer: pages).mount(on: &builder)
        PublicRoutes(backend: backend).mount(on: &builder)
        PageRoutes(backend: backend, renderer: pages).mount(on: &builder)
        ConsentRoutes(backend: backend).mount(on: &builder)
        builder.follow(.content, name: "suppressions", Unsubscriptions.apply)
        UnreachableAddresses.mount(on: &builder, backend)
        PersonalDataRoutes(backend: backend).mount(on: &builder)
        ErasureRoutes(eraser: Eraser(backend: backend)).mount(on: &builder)
        SitemapRoutes(backend: backend).mount(on: &builder)
        builder.retention(
            backend,
            DirectoryRetention(backend: backend).tasks
                + [ImportRetention(backend: backend).task, ReferralRetention(backend: backend).task])
    }
}
