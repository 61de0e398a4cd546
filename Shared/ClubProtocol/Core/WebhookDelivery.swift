import HTTPTypes

/// One message to one webhook, with what came of it.
///
/// ```
///            taken               2xx
///  pending ──────────▶ sending ──────▶ delivered ──┐
///    ▲  ▲               │ ▲ │ │                    │ replayed
///    │  └─── failed ────┘ └─┘ └── tenth failure, ──▶ exhausted
///    │     (back-off)   lease     or 410           │
///    │                  ran out                    │
///    └─────────────────────────────────────────────┘
/// ```
package struct WebhookDelivery: Codable, Hashable, Sendable {
    package typealias ID = Identifier<WebhookDelivery>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Waits for its first attempt or for the next one.
        case pending
        /// Somebody is sending it.
        case sending
        /// The receiver answered 2xx.
        case delivered
        /// All attempts failed, or the receiver wants no more; kept to be replayed.
        case exhausted

        /// Whether a delivery may go from this state to that one; what is sent anew under a new lease counts as going.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.pending, .sending): true
            case (.sending, .sending): true
            case (.sending, .pending): true
            case (.sending, .delivered): true
            case (.sending, .exhausted): true
            case (.delivered, .pending): true
            case (.exhausted, .pending): true
            default: false
            }
        }
    }

    /// Also the `webhook-id` of the message: the same with each attempt.
    package var id: ID
    package var webhook: Webhook.ID
    /// `person.changed`
    package var type: String
    /// The identifier of the thing that changed.
    package var subject: String
    /// The version of the thing after the change.
    package var subjectVersion: Int?
    package var happenedAt: Timestamp
    package var state: State
    /// Attempts so far.
    package var attempts: Int
    /// When the next attempt is due; of a pending one.
    package var dueAt: Timestamp?
    /// What the last attempt was answered, and how long it took.
    package var lastStatus: Int?
    package var lastMilliseconds: Int?
    package var lastFailure: WebhookAttempt.Failure?
    package var createdAt: Timestamp
    package var finishedAt: Timestamp?
    /// The attempts, the latest hundred in their order; only where one delivery is shown.
    package var log: [WebhookAttempt]?
}

/// One attempt at a delivery. Of the answer only status and length are kept.
package struct WebhookAttempt: Codable, Hashable, Sendable {
    /// Why an attempt failed.
    package enum Failure: String, Codable, CaseIterable, Sendable {
        /// It was answered with something other than 2xx.
        case status
        /// There was no whole answer within 15 seconds.
        case timeout
        /// No connection, or it broke; TLS included.
        case connection
        /// The host has no address.
        case resolution
        /// The host's address is none of the public Internet.
        case forbiddenAddress
        /// The secret cannot be opened: the service has got another key since. Rotate it.
        case secret
        /// The service was stopped in the middle of it.
        case interrupted
    }

    /// 1 for the first.
    package var number: Int
    package var startedAt: Timestamp
    /// Absent while it is under way, and where nobody lived to say how it ended.
    package var milliseconds: Int?
    package var status: Int?
    /// Of the answer's body, as far as it was read.
    package var responseBytes: Int?
    package var failure: Failure?
}

/// What a receiver gets: the body of a message.
package struct WebhookMessage: Codable, Hashable, Sendable {
    package struct Content: Codable, Hashable, Sendable {
        /// Of the thing that changed.
        package var id: String
        package var entity: String
        package var action: String
        /// After the change. Messages may come in another order than the changes: the higher one is the later.
        package var version: Int?
        package var service: ServiceName
        /// The thing as it was when this was sent; absent unless the webhook asks for it, and once the thing is gone.
        package var state: JSONValue?

        package init(
            id: String, entity: String, action: String, version: Int?, service: ServiceName, state: JSONValue? = nil
        ) {
            self.id = id
            self.entity = entity
            self.action = action
            self.version = version
            self.service = service
            self.state = state
        }
    }

    /// `person.changed`
    package var type: String
    /// When it happened.
    package var timestamp: Timestamp
    package var data: Content

    package init(type: String, timestamp: Timestamp, data: Content) {
        self.type = type
        self.timestamp = timestamp
        self.data = data
    }
}

/// Lists the deliveries of a webhook, the latest first.
package enum ListWebhookDeliveries: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhooks/{webhook}/deliveries", "Lists the deliveries of a webhook, latest first.",
        access: WebhookAPI.readers, problems: [.notFound])

    package typealias Path = WebhookPath

    package struct Query: Codable, Sendable, PagedQuery {
        package var state: WebhookDelivery.State?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(state: WebhookDelivery.State? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.state = state
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<WebhookDelivery>
}

/// Shows a delivery with its attempts.
package enum GetWebhookDelivery: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhook-deliveries/{delivery}", "Shows a delivery with its attempts.",
        access: WebhookAPI.readers, problems: [.notFound])

    package typealias Path = WebhookDeliveryPath
    package typealias Response = WebhookDelivery
}

/// Sends a delivery that has ended once more, with the same `webhook-id` and all its attempts anew.
package enum ReplayWebhookDelivery: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhook-deliveries/{delivery}/replay", "Sends a delivery that has ended once more.",
        success: .accepted, access: WebhookAPI.writers,
        problems: [.notFound, .webhookDisabled, .transitionNotAllowed])

    package typealias Path = WebhookDeliveryPath
    package typealias Response = WebhookDelivery
}

/// Sends once more what a webhook did not get, from a time on.
package enum ReplayWebhook: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks/{webhook}/replay", "Sends the deliveries that failed since a time once more.",
        success: .accepted, access: WebhookAPI.writers, problems: [.notFound, .webhookDisabled])

    package typealias Path = WebhookPath

    package struct Body: Codable, Sendable {
        /// Deliveries that were made at this time or later, and are exhausted. Deliveries are kept for thirty days.
        package var since: Timestamp

        package init(since: Timestamp) {
            self.since = since
        }
    }

    package typealias Response = WebhookReplay
}

/// What a replay came to.
package struct WebhookReplay: Codable, Hashable, Sendable {
    /// How many deliveries are sent once more.
    package var replayed: Int

    package init(replayed: Int) {
        self.replayed = replayed
    }
}

/// `/v1/webhook-deliveries/{delivery}`
package struct WebhookDeliveryPath: Codable, Sendable {
    package var delivery: WebhookDelivery.ID

    package init(delivery: WebhookDelivery.ID) {
        self.delivery = delivery
    }
}
