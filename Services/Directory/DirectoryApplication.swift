package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the directory; the command and the tests use the same.
package enum DirectoryApplication: ServiceApplication {
    package static let name = DirectoryAPI.service
    package static let title = DirectoryAPI.title
    package static let endpoints = DirectoryAPI.endpoints
    package static let peers: [ServiceName] = [.events, .content, .lobbying]
    package static let migrations = [
        Migration("0001-vocabulary", sql: PackageResources.m0001_vocabulary_sql),
        Migration("0002-members", sql: PackageResources.m0002_members_sql),
        Migration("0003-field", sql: PackageResources.m0003_field_sql),
        Migration("0004-expert-document", sql: PackageResources.m0004_expert_document_sql),
        Migration("0005-contributions", sql: PackageResources.m0005_contributions_sql),
        Migration("0006-organizations", sql: PackageResources.m0006_organizations_sql),
        Migration("0007-search", sql: PackageResources.m0007_search_sql),
        Migration("0008-imports", sql: PackageResources.m0008_imports_sql),
        Migration("0009-duplicates", sql: PackageResources.m0009_duplicates_sql),
        Migration("0010-rights", sql: PackageResources.m0010_rights_sql),
        Migration("0011-confirmation", sql: PackageResources.m0011_confirmation_sql),
        Migration("0012-referrals", sql: PackageResources.m0012_referrals_sql),
        Migration("0014-receipts", sql: PackageResources.m0014_receipts_sql),
        Migration("0015-search", sql: PackageResources.m0015_search_sql),
        Migration("0016-imports", sql: PackageResources.m0016_imports_sql),
        Migration("0017-places", sql: PackageResources.m0017_places_sql),
        Migration("0018-lists", sql: PackageResources.m0018_lists_sql),
        Migration("0019-expert-filters", sql: PackageResources.m0019_expert_filters_sql),
        Migration("0020-freshness", sql: PackageResources.m0020_freshness_sql),
        Migration("0021-words", sql: PackageResources.m0021_words_sql),
        Migration("0022-members", sql: PackageResources.m0022_members_sql),
        Migration("0023-referrals", sql: PackageResources.m0023_referrals_sql),
        Migration("0024-merges", sql: PackageResources.m0024_merges_sql),
        Migration("0025-imports", sql: PackageResources.m0025_imports_sql),
        Migration("0026-rights", sql: PackageResources.m0026_rights_sql),
        Migration("0027-postings", sql: PackageResources.m0027_postings_sql),
        Migration("0029-values", sql: PackageResources.m0029_values_sql),
        Migration("0030-places", sql: PackageResources.m0030_places_sql),
        Migration("0031-days", sql: PackageResources.m0031_days_sql),
        Migration("0032-means-of-payment", sql: PackageResources.m0032_means_of_payment_sql),
        Migration("0034-imports", sql: PackageResources.m0034_imports_sql),
        Migration("0036-addresses", sql: PackageResources.m0036_addresses_sql),
        Migration("0037-memberships", sql: PackageResources.m0037_memberships_sql),
        Migration("0038-saints", sql: PackageResources.m0038_saints_sql),
        Migration("0039-documents", sql: PackageResources.m0039_documents_sql),
        Migration("0040-credit", sql: PackageResources.m0040_credit_sql),
        Migration("0041-bank", sql: PackageResources.m0041_bank_sql),
        Migration("0042-people", sql: PackageResources.m0042_people_sql),
        Migration("0043-mailboxes", sql: PackageResources.m0043_mailboxes_sql),
        Migration("0044-addresses-of-experts", sql: PackageResources.m0044_addresses_of_experts_sql),
        Migration("0045-names", sql: PackageResources.m0045_names_sql),
        Migration("0046-import-names", sql: PackageResources.m0046_import_names_sql),
        Migration("0047-telephones", sql: PackageResources.m0047_telephones_sql),
        Migration("0048-memberships", sql: PackageResources.m0048_memberships_sql),
        Migration("0049-bank", sql: PackageResources.m0049_bank_sql),
        Migration("0050-contributions", sql: PackageResources.m0050_contributions_sql),
        Migration("0051-search-signs", sql: PackageResources.m0051_search_signs_sql),
        Migration("0052-own-addresses", sql: PackageResources.m0052_own_addresses_sql),
        Migration("0053-import-answers", sql: PackageResources.m0053_import_answers_sql),
        Migration("0054-names", sql: PackageResources.m0054_names_sql),
        Migration("0055-imports", sql: PackageResources.m0055_imports_sql),
        Migration("0056-bank", sql: PackageResources.m0056_bank_sql),
        Migration("0057-bank-booking", sql: PackageResources.m0057_bank_booking_sql),
        Migration("0058-called-memberships", sql: PackageResources.m0058_called_memberships_sql),
        Migration("0059-receipts", sql: PackageResources.m0059_receipts_sql),
        Migration("0060-telephones", sql: PackageResources.m0060_telephones_sql),
        Migration("0061-duplicates", sql: PackageResources.m0061_duplicates_sql),
        Migration("0062-declined-at-addresses", sql: PackageResources.m0062_declined_at_addresses_sql),
        Migration(
            "0063-places-without-postal-codes", sql: PackageResources.m0063_places_without_postal_codes_sql),
        Migration("0064-unused", sql: PackageResources.m0064_unused_sql),
    ]

    package static func assemble(_ backend: Backend, into parts: inout ServiceParts) throws {
        let pages = try PageRenderer()
        pages.mountProblems(on: &parts)
        CallerRoutes(backend: backend).mount(on: &parts)
        VocabularyRoutes(backend: backend).mount(on: &parts)
        OrganizationRoutes(backend: backend).mount(on: &parts)
        MandateRoutes(backend: backend).mount(on: &parts)
        PersonRoutes(backend: backend).mount(on: &parts)
        MembershipRoutes(backend: backend).mount(on: &parts)
        ContributionRoutes(backend: backend).mount(on: &parts)
        CreditRoutes(backend: backend).mount(on: &parts)
        BankStatementRoutes(backend: backend).mount(on: &parts)
        BankLineRoutes(backend: backend).mount(on: &parts)
        MemberRoutes(backend: backend).mount(on: &parts)
        AmbassadorRoutes(backend: backend).mount(on: &parts)
        ExpertRoutes(backend: backend).mount(on: &parts)
        try SearchRoutes(backend: backend).mount(on: &parts)
        EnrolmentRoutes(backend: backend).mount(on: &parts)
        let post = try Post(backend: backend)
        try ConfirmationRounds(backend: backend, post: post).mount(on: &parts)
        try ReminderRounds(backend: backend, post: post).mount(on: &parts)
        let documents = ContributionDocuments(backend: backend)
        ReceiptRoutes(backend: backend, post: post, pages: pages, documents: documents).mount(on: &parts)
        ContributionCallRoutes(backend: backend, pages: pages, documents: documents).mount(on: &parts)
        let links = SelfServiceLinks(backend: backend, post: post)
        links.mount(on: &parts)
        SelfServiceRoutes(backend: backend, pages: SelfServicePages(renderer: pages), links: links).mount(on: &parts)
        try DuplicateRoutes(backend: backend).mount(on: &parts)
        MergeRoutes(backend: backend).mount(on: &parts)
        ExportRoutes(backend: backend).mount(on: &parts)
        TreasurerTableRoutes(backend: backend).mount(on: &parts)
        ImportRoutes(backend: backend).mount(on: &parts)
        AudienceRoutes(backend: backend).mount(on: &parts)
        try CoverageRoutes(backend: backend).mount(on: &parts)
        ReferralRoutes(backend: backend).mount(on: &parts)
        ReferralOfferRoutes(backend: backend).mount(on: &parts)
        ReferralLetters(backend: backend, post: post).mount(on: &parts)
        ReferralPageRoutes(backend: backend, renderer: pages).mount(on: &parts)
        PublicRoutes(backend: backend).mount(on: &parts)
        PageRoutes(backend: backend, renderer: pages).mount(on: &parts)
        ConsentRoutes(backend: backend).mount(on: &parts)
        parts.follow(.content, name: "suppressions", Unsubscriptions.apply)
        PersonalDataRoutes(backend: backend).mount(on: &parts)
        ErasureRoutes(eraser: Eraser(backend: backend)).mount(on: &parts)
        SitemapRoutes(backend: backend).mount(on: &parts)
        try parts.retention(
            backend,
            DirectoryRetention(backend: backend).tasks
                + [ImportRetention(backend: backend).task, ReferralRetention(backend: backend).task])
    }
}
