import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/merges`
struct MergeRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(MergeRecords.self, merge)
        builder.routes.read(ListMerges.self, list)
        builder.routes.read(GetMerge.self, get)
        builder.routes.write(UndoMerge.self, undo)
        builder.snapshot(.merge, MergeStore.snapshot)
    }

    @Sendable func list(_ call: Call<ListMerges>) async throws -> RouteResponse<Page<Merge>> {
        try .page(
            try await MergeStore.list(call.query, call.page, on: backend.database), call.page, key: "_number", "id")
    }

    @Sendable func get(_ call: Call<GetMerge>) async throws -> RouteResponse<Merge> {
        try .row(try await MergeStore.get(call.path, on: backend.database))
    }

    @Sendable private func merge(
        _ call: Call<MergeRecords>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Merge> {
        let (body, id) = (call.body, Merge.ID())
        try await MergeStore.lockMerges(in: transaction)
        try await ConsentStore.setProvenanceOfMerge(in: transaction)
        try await NameStore.setGiver(.merge, in: transaction)
        let images = try await MergeStore.lock(body, in: transaction)
        try await MergeConflicts.check(body, in: transaction)
        do {
            let joined = try await MergeConflicts.unlink(images, body, in: transaction)
            let changes = try MergeRules.changes(
                of: joined.survivor, with: joined.merged, choices: body.choices ?? [:],
                guessed: try await MergeStore.guessed(body, in: transaction))
            var steps: [JSONText] = []
            for (table, twin) in try await MergeConflicts.twins(body, in: transaction) {
                steps.append(try await MergeStore.absorb(table, twin.survivor, twin.merged, in: transaction))
            }
            steps.append(
                try await MergeStore.absorb(
                    MergeStore.table(body.kind), body.survivor, body.merged, in: transaction))
            let version = try await MergeStore.write(changes, into: body.survivor, body.kind, in: transaction)
            let rows = try await MergeStore.insert(
                id, body, before: images.survivor, fields: changes.keys.map(MergeRules.field).sorted(), steps: steps,
                by: call.principal, in: transaction)
            try await DuplicateStore.settle(body, in: transaction)
            // The merge comes first: followers move what they store about the merged record before they learn that it
            // is gone.
            let entity = EntityName(body.kind)
            var entries: [Journal.Entry] = [
                .init(.created, .merge, id, version: 1, values: body), .init(.merged, entity, body.merged),
                .init(.changed, entity, body.survivor, version: version, values: body),
            ]
            entries += try await MergeStore.setAside(id, in: transaction).map { .init(.deleted, $0.entity, $0.id) }
            entries += try await MergeStore.moved(id, in: transaction).map {
                .init(.changed, $0.entity, $0.id, version: $0.version)
            }
            entries += try await MergeStore.recounted(id, in: transaction).map { .init(.changed, .referral, $0) }
            try await transaction.record(entries, by: call.principal)
            return try .row(rows)
        } catch let error as PostgresError where error.isConstraintViolation {
            throw Problem(.mergeBlocked, "Both together are refused by \(error.constraint ?? "the database").")
        }
    }

    @Sendable private func undo(
        _ call: Call<UndoMerge>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Merge> {
        let id = call.path
        try await MergeStore.lockMerges(in: transaction)
        try await ConsentStore.setProvenanceOfMerge(in: transaction)
        try await NameStore.setGiver(.undo, in: transaction)
        let current = try await MergeStore.lock(id, in: transaction)
        guard !current.undone else { throw Problem(.mergeUndone) }
        if let follower = current.follower {
            throw Problem(.mergeFollowed, "Undo merge \(follower) first.")
        }
        do {
            try await transaction.execute(
                "select from \(current.kind.table) where id = \(current.survivor) for update")
            guard let now = try await MergeStore.image(of: current.survivor, current.kind, in: transaction) else {
                throw Problem(.undoBlocked, "The survivor is no longer in the directory.")
            }
            try await checkErasure(of: current, in: transaction)
            let images = try await MergeStore.images(id, in: transaction)
            let edits = MergeRules.edits(from: images.after, to: now)
            let aside = try await MergeStore.setAside(id, in: transaction)
            let referrals = try await MergeStore.recounted(id, in: transaction)
            let returned = try await MergeStore.restore(id, current, in: transaction)
            let kept = MergeRules.kept(images, now: now)
            if !kept.isEmpty {
                _ = try await MergeStore.write(kept, into: current.survivor, current.kind, in: transaction)
            }
            let withdrawn = MergeRules.withdrawn(images, now: now)
            if !withdrawn.isEmpty {
                // The survivor's answers have their lines in the ledger; these come from the merged record first.
                try await ConsentStore.setProvenance(.operator, by: call.principal, in: transaction)
                _ = try await MergeStore.write(withdrawn, into: current.merged, current.kind, in: transaction)
            }
            let rows = try await MergeStore.finish(id, edits: edits, by: call.principal, in: transaction)
            try await DuplicateStore.unsettle(
                current.kind, current.survivor, current.merged, in: transaction)
            let entity = EntityName(current.kind)
            let survivor = try await version(of: current.survivor, current.kind, in: transaction)
            let merged = try await version(of: current.merged, current.kind, in: transaction)
            var entries: [Journal.Entry] = [
                .init(.changed, .merge, id, version: try rows.first?["version"]),
                .init(.created, entity, current.merged, version: merged),
                .init(.changed, entity, current.survivor, version: survivor),
            ]
            entries += aside.map { .init(.created, $0.entity, $0.id, version: $0.version) }
            entries += returned.map { .init(.changed, $0.entity, $0.id, version: $0.version) }
            entries += referrals.map { .init(.changed, .referral, $0) }
            try await transaction.record(entries, by: call.principal)
            return try .row(rows)
        } catch let error as PostgresError where error.isConstraintViolation {
            throw Problem(.undoBlocked, "The restored records are refused by \(error.constraint ?? "the database").")
        }
    }

    /// While two records are one, a pending erasure concerns both: it must be decided before they are two again.
    private func checkErasure(of merge: MergeStore.Current, in transaction: PostgresTransaction) async throws {
        let entity: DataSubject.Entity
        switch merge.kind {
        case .organization: return
        case .person: entity = .person
        case .expert: entity = .expert
        }
        let subject = DataSubject(entity: entity, id: .init(merge.survivor.uuid))
        if try await ErasureStore.isRequested(for: subject, on: transaction) {
            throw Problem(.undoBlocked, "The survivor's erasure was requested: begin or refuse it first.")
        }
    }

    private func version(
        of id: DirectoryRecord.ID, _ kind: RecordKind, in transaction: PostgresTransaction
    ) async throws -> Int? {
        try await transaction.first("select version from \(kind.table) where id = \(id)")?["version"]
    }
}
