/// What a listener gets.
package enum PostgresNotification: Sendable, Hashable {
    /// The channels are listened to from now on. It comes first, and again after each reconnection: what was notified in
    /// between is lost, so look once.
    case reconnected
    case message(channel: String, payload: String)

    package var channel: String? {
        if case .message(let channel, _) = self { channel } else { nil }
    }

    package var payload: String? {
        if case .message(_, let payload) = self { payload } else { nil }
    }
}
