package import Postgres

/// The tables that every service has in its schema: applied before the service's own.
package enum ServiceMigrations {
    package static let all: [Migration] = [
        Migration("kit-0001-jobs", sql: PackageResources.kit_0001_jobs_sql),
        Migration("kit-0002-changes", sql: PackageResources.kit_0002_changes_sql),
        Migration("kit-0003-audit", sql: PackageResources.kit_0003_audit_sql),
        Migration("kit-0004-idempotency", sql: PackageResources.kit_0004_idempotency_sql),
        Migration("kit-0005-rights", sql: PackageResources.kit_0005_rights_sql),
        Migration("kit-0006-webhooks", sql: PackageResources.kit_0006_webhooks_sql),
        Migration(
            "kit-0007-audit", sql: PackageResources.kit_0007_audit_sql,
            rights: [
                // Not its number, its transaction, its time or its seal.
                TableRights("audit", "select, insert (actor, role, action, entity, subject, version, commitment)"),
                TableRights("audit_head", "select"), TableRights("audit_base", "select"),
                TableRights("audit_key", "select, insert, delete"),
            ]),
        Migration("kit-0008-idempotency", sql: PackageResources.kit_0008_idempotency_sql),
        Migration("kit-0009-compaction", sql: PackageResources.kit_0009_compaction_sql),
        Migration("kit-0010-audit", sql: PackageResources.kit_0010_audit_sql),
    ]
}
