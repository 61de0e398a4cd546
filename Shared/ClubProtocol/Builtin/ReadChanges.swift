import HTTPTypes

/// The changes in a service, in commit order. Every service provides this feed; its peers follow it.
package enum ReadChanges: Endpoint {
    package static let operation = Operation(
        .get, "/v1/changes", "Lists what changed after a cursor, waiting for news if asked to.",
        access: .roles(.service, .operator, .auditor))

    package struct Query: Codable, Sendable, WaitingQuery {
        /// The cursor of the last change that the caller has applied; if absent, starts from the beginning.
        package var after: Cursor?
        /// How many seconds to wait if there is no change yet: 0 to 30.
        package var wait: Int?
        package static let longestWait = 30
        /// The maximum number of changes: 1 to 200.
        package var limit: PageLimit?

        package init(after: Cursor? = nil, wait: Int? = nil, limit: PageLimit? = nil) {
            self.after = after
            self.wait = wait
            self.limit = limit
        }
    }

    package typealias Response = ChangeBatch
}

/// A query by which the caller may ask the service to wait before responding, so a slow response is expected.
package protocol WaitingQuery {
    /// In seconds.
    var wait: Int? { get }
    /// The maximum of ``wait``.
    static var longestWait: Int { get }
}

/// A section of a change feed. An empty one means that nothing changed during the wait.
package struct ChangeBatch: Codable, Sendable {
    package var items: [Change]
    /// The cursor to continue from; absent if the feed has no changes at all.
    package var next: Cursor?

    package init(items: [Change], next: Cursor?) {
        self.items = items
        self.next = next
    }
}

/// One change of one entity.
package struct Change: Codable, Sendable {
    package enum Action: String, Codable, CaseIterable, Sendable {
        case created, changed, deleted, erased, merged
    }

    package var cursor: Cursor
    package var entity: EntityName
    /// The identifier of the entity.
    package var id: String
    package var action: Action
    /// The version after the change, for entities that have versions.
    package var version: Int?
    package var at: Timestamp
    /// The state of the entity when the feed was read, not when it changed; absent once it is deleted.
    package var data: JSONValue?

    package init(
        cursor: Cursor, entity: EntityName, id: String, action: Action, version: Int?, at: Timestamp, data: JSONValue?
    ) {
        self.cursor = cursor
        self.entity = entity
        self.id = id
        self.action = action
        self.version = version
        self.at = at
        self.data = data
    }
}
