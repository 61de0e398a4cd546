import HTTPTypes

/// What changed in a service, in the order of commits: every service serves it, peers follow it.
package enum ReadChanges: Endpoint {
    package static let operation = Operation(
        .get, "/v1/changes", "Lists what changed after a cursor, waiting for news if asked to.",
        access: .roles(.service, .operator, .auditor))

    package struct Query: Codable, Sendable, WaitingQuery {
        /// The cursor of the last change that the caller has applied; absent: from the beginning.
        package var after: Cursor?
        /// How many seconds to wait for a change when there is none: 0 to 30.
        package var wait: Int?
        /// How many changes at the most: 1 to 200.
        package var limit: PageLimit?

        package init(after: Cursor? = nil, wait: Int? = nil, limit: PageLimit? = nil) {
            self.after = after
            self.wait = wait
            self.limit = limit
        }
    }

    package typealias Response = ChangeBatch
}

/// A query by which the caller may ask the service to wait before it answers: slow on purpose.
package protocol WaitingQuery {
    /// In seconds.
    var wait: Int? { get }
}

/// A stretch of a change feed. An empty one means that nothing happened in the time waited.
package struct ChangeBatch: Codable, Sendable {
    package var items: [Change]
    /// The cursor to go on from; absent when the feed is empty from its beginning.
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
    /// The kind of thing, in lower camel case: `person`, `organization`.
    package var entity: String
    /// The identifier of the thing.
    package var id: String
    package var action: Action
    /// The version after the change, where the entity has versions.
    package var version: Int?
    package var at: Timestamp
    /// The state of the thing when the feed was read, not when it changed; absent once it is gone.
    package var data: JSONValue?

    package init(
        cursor: Cursor, entity: String, id: String, action: Action, version: Int?, at: Timestamp, data: JSONValue?
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
