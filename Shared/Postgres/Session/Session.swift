import NIOCore

/// A session that the server is ready for: authenticated, with nothing in progress.
///
/// Its channel reads nothing (`autoRead` is off) and has no handler of ours but TLS. Who takes it over adds its own
/// handler on the channel's event loop and turns `autoRead` on.
struct Session: Sendable {
    let channel: any Channel
    let address: SocketAddress
    let processID: Int32
    let secretKey: Int32
    /// What the server has reported by ParameterStatus: `server_version`, `in_hot_standby`,
    /// `default_transaction_read_only`, …
    let parameters: [String: String]
    /// The bytes that came after ReadyForQuery: notices and changes of parameters, perhaps the beginning of one.
    let leftOver: ByteBuffer
    /// Whether TLS is on.
    let isEncrypted: Bool
}
