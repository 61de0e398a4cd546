import ClubProtocol
import HTTPTypes
import Synchronization

extension Responder {
    /// Handles a request in process: the whole stack except sockets.
    func respond(
        to request: HTTPRequest, body: [UInt8] = [], address: String = "127.0.0.1"
    ) async -> (HTTPResponse, [UInt8]) {
        let head = RequestHead(request, from: limits.trustedProxies.peer(IPAddress(address)))
        let answer: RawResponse
        var streamed: [UInt8] = []
        var token: VerifiedToken?
        switch open(head, token: &token) {
        case .answer(let refusal): answer = refusal
        case .page(let page): answer = await page()
        case .request(let request):
            let sink = CollectingSink()
            switch await request.run(request.bodyRule.input(body), sink: sink) {
            case .answer(let made): answer = made
            case .streamed:
                guard let begun = sink.head else { return (HTTPResponse(status: .internalServerError), []) }
                answer = begun
                streamed = sink.bytes
            case .broken: return (HTTPResponse(status: .internalServerError), sink.bytes)
            }
        }
        let content = streamed.isEmpty ? answer.body : streamed
        return (answer.head, head.method == .head ? [] : content)
    }
}

/// Collects a stream's bytes, for callers in the same process.
private final class CollectingSink: ResponseSink {
    private let state = Mutex<(head: RawResponse?, bytes: [UInt8])>((nil, []))

    var head: RawResponse? { state.withLock { $0.head } }
    var bytes: [UInt8] { state.withLock { $0.bytes } }

    func begin(_ head: RawResponse) async throws { state.withLock { $0.head = head } }
    func write(_ bytes: [UInt8]) async throws { state.withLock { $0.bytes += bytes } }
}
