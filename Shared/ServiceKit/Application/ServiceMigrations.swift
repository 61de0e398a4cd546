import ClubProtocol
package import Postgres

/// The tables of the kit in every service's schema: applied before the service's own.
package enum ServiceMigrations {
    package static let all: [Migration] = [
        Migration("kit-0001-job", sql: PackageResources.kit_0001_job_sql),
        Migration("kit-0002-change", sql: PackageResources.kit_0002_change_sql),
        Migration(
            "kit-0003-audit-trail", sql: PackageResources.kit_0003_audit_trail_sql,
            rights: [
                // Not its number, transaction, time or seal.
                TableRights("audit", "select, insert (actor, role, action, entity, subject, version, commitment)"),
                TableRights("audit_head", "select"), TableRights("audit_base", "select"),
                TableRights("audit_key", "select, insert, delete"),
            ]),
        Migration("kit-0004-idempotency-key", sql: PackageResources.kit_0004_idempotency_key_sql),
        Migration("kit-0005-retention", sql: PackageResources.kit_0005_retention_sql),
        Migration("kit-0006-webhook", sql: PackageResources.kit_0006_webhook_sql),
    ]

    // Listed by the services that need them, before their own tables.

    /// The function `rfc3339`, for times in JSON that a statement builds.
    package static let time = Migration("kit-0007-time", sql: PackageResources.kit_0007_time_sql)
    /// The merges of the directory that a service has applied: see ``MergeFollower``.
    package static let merges = Migration("kit-0008-applied-merge", sql: PackageResources.kit_0008_applied_merge_sql)
    /// A service's copy of the directory's people: see ``PeopleMirror``.
    package static let people = Migration("kit-0009-person-copy", sql: PackageResources.kit_0009_person_copy_sql)
}

extension ServiceApplication {
    /// All migrations of the service's schema, in order.
    package static var allMigrations: [Migration] { ServiceMigrations.all + migrations }

    /// Brings the schema up to date, and grants its use to the service's role.
    package static func migrator(runtimeRole: String?) -> Migrator {
        Migrator(schema: name.rawValue, migrations: allMigrations, runtimeRole: runtimeRole)
    }
}
