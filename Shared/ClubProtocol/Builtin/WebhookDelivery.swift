import HTTPTypes

/// One message to one webhook, and its outcome.
///
/// ```
///            taken               2xx
///  pending ──────────▶ sending ──────▶ delivered ──┐
///    ▲  ▲               │ ▲ │ │                    │ replayed
///    │  └─── failed ────┘ └─┘ └── tenth failure, ──▶ exhausted
///    │     (back-off)   lease     or 410           │
///    │                  expired                    │
///    └─────────────────────────────────────────────┘
/// ```
package struct WebhookDelivery: Codable, Hashable, Sendable {
    package typealias ID = Identifier<WebhookDelivery>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Waits for its first or next attempt.
        case pending
        /// An attempt is under way.
        case sending
        /// The receiver responded 2xx.
        case delivered
        /// All attempts failed, or the receiver wants no more messages; kept so that it can be replayed.
        case exhausted

        /// Whether this transition is allowed. Sending again under a new lease counts as a transition.
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

    /// Also the `webhook-id` of the message, which is the same for every attempt.
    package var id: ID
    package var webhook: Webhook.ID
    /// `person.changed`
    package var type: String
    /// The identifier of the entity that changed.
    package var subject: String
    /// The version of the entity after the change.
    package var subjectVersion: Int?
    package var happenedAt: Timestamp
    package var state: State
    /// Attempts so far.
    package var attempts: Int
    /// When the next attempt is due; only while pending.
    package var dueAt: Timestamp?
    /// The response status of the last attempt, and how long it took.
    package var lastStatus: Int?
    package var lastMilliseconds: Int?
    package var lastFailure: WebhookAttempt.Failure?
    package var createdAt: Timestamp
    package var finishedAt: Timestamp?
    /// The latest hundred attempts, in order; only when a single delivery is shown.
    package var log: [WebhookAttempt]?
}

/// One attempt at a delivery. Only the status and length of the response are kept.
package struct WebhookAttempt: Codable, Hashable, Sendable {
    /// Why an attempt failed.
    package enum Failure: String, Codable, CaseIterable, Sendable {
        /// The response was not 2xx.
        case status
        /// No complete response within 15 seconds.
        case timeout
        /// The connection failed or broke, TLS included.
        case connection
        /// The host name did not resolve.
        case resolution
        /// The host's address is not on the public Internet.
        case forbiddenAddress
        /// The secret cannot be decrypted because the service's key has changed. Rotate it.
        case secret
        /// The service was stopped during the attempt.
        case interrupted
    }

    /// 1 for the first.
    package var number: Int
    package var startedAt: Timestamp
    /// Absent while under way, and if the process died before recording the outcome.
    package var milliseconds: Int?
    package var status: Int?
    /// Length of the response body, as far as it was read.
    package var responseBytes: Int?
    package var failure: Failure?
}

/// The body of a message.
package struct WebhookMessage: Codable, Hashable, Sendable {
    package struct Content: Codable, Hashable, Sendable {
        /// Of the entity that changed.
        package var id: String
        package var entity: EntityName
        package var action: String
        /// After the change. Messages may arrive out of order: the higher version is the later one.
        package var version: Int?
        package var service: ServiceName
        /// The entity as it was at the time of sending; absent unless the webhook asks for it, or once the entity is
        /// deleted.
        package var state: JSONValue?

        package init(
            id: String, entity: EntityName, action: String, version: Int?, service: ServiceName, state: JSONValue? = nil
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

/// Lists the deliveries of a webhook, newest first.
package enum ListWebhookDeliveries: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhooks/{webhook}/deliveries", "Lists the deliveries of a webhook, latest first.",
        access: WebhookAPI.readers, problems: [.notFound])

    package typealias Path = Webhook.ID

    package struct Filter: OptionalParameters {
        package var state: WebhookDelivery.State?

        package init() {}

        package init(state: WebhookDelivery.State? = nil) {
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<WebhookDelivery>
}

/// Shows a delivery with its attempts.
package enum GetWebhookDelivery: Endpoint {
    package static let operation = Operation(
        .get, "/v1/webhook-deliveries/{delivery}", "Shows a delivery with its attempts.",
        access: WebhookAPI.readers, problems: [.notFound])

    package typealias Path = WebhookDelivery.ID
    package typealias Response = WebhookDelivery
}

/// Sends a completed delivery again, with the same `webhook-id` and its attempts reset.
package enum ReplayWebhookDelivery: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhook-deliveries/{delivery}/replay", "Sends a completed delivery again.",
        success: .accepted, access: WebhookAPI.writers,
        problems: [.notFound, .webhookDisabled, .transitionNotAllowed])

    package typealias Path = WebhookDelivery.ID
    package typealias Response = WebhookDelivery
}

/// Sends again everything that a webhook missed since a given time.
package enum ReplayWebhook: Endpoint {
    package static let operation = Operation(
        .post, "/v1/webhooks/{webhook}/replay", "Sends the deliveries that failed since a time again.",
        success: .accepted, access: WebhookAPI.writers, problems: [.notFound, .webhookDisabled])

    package typealias Path = Webhook.ID

    package struct Body: Codable, Sendable {
        /// Replays exhausted deliveries created at this time or later. Deliveries are kept for thirty days.
        package var since: Timestamp

        package init(since: Timestamp) {
            self.since = since
        }
    }

    package typealias Response = WebhookReplay
}

/// The result of a replay.
package struct WebhookReplay: Codable, Hashable, Sendable {
    /// The number of deliveries being sent again.
    package var replayed: Int

    package init(replayed: Int) {
        self.replayed = replayed
    }
}
