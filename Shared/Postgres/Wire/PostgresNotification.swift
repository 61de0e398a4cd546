/// An event for a listener.
package enum PostgresNotification: Sendable, Hashable {
    /// The client is now listening on the channels. Comes first, and again after each reconnection; notifications
    /// sent in between are lost, so check the data.
    case reconnected
    case message(channel: String, payload: String)

    package var channel: String? {
        if case .message(let channel, _) = self { channel } else { nil }
    }

    package var payload: String? {
        if case .message(_, let payload) = self { payload } else { nil }
    }
}
