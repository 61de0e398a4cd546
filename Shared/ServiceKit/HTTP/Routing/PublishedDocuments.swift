import ClubProtocol
import HTTPTypes

/// Documents about the service at fixed paths, for everyone.
struct PublishedDocuments: Sendable {
    private let documents: [String: [UInt8]]

    /// - Parameters:
    ///   - openAPI: at `/openapi.json`.
    ///   - jwks: at `/.well-known/jwks.json`: the service's public keys.
    init(openAPI: [UInt8], jwks: [UInt8]) {
        documents = ["/openapi.json": openAPI, "/.well-known/jwks.json": jwks]
    }

    /// - Throws: 404 for any other path, 405 for a method other than GET and HEAD.
    func response(to head: RequestHead, requestID: String) throws(Problem) -> RawResponse {
        let path = String(Substring(head.target.utf8.prefix { $0 != UInt8(ascii: "?") }))
        guard let document = documents[path] else { throw Problem(.notFound) }
        guard head.method == .get || head.method == .head else {
            throw Problem(.methodNotAllowed, headers: [.allow: "GET, HEAD"])
        }
        return RawResponse(
            .ok, contentType: "application/json", body: document, requestID: requestID,
            extra: [.cacheControl: "public, max-age=60"])
    }
}
