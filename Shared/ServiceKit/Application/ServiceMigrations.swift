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
}

extension ServiceApplication {
    /// All migrations of the service's schema, in order.
    package static var allMigrations: [Migration] { ServiceMigrations.all + migrations }

    /// Brings the schema up to date, and grants its use to the service's role.
    package static func migrator(runtimeRole: String?) -> Migrator {
        Migrator(schema: name.rawValue, migrations: allMigrations, runtimeRole: runtimeRole)
    }
}
