import ClubProtocol
import HTTPTypes

/// From the request to the handler's call, and from what the handler returns to the response.
extension RoutedRequest {
    /// Decodes the request.
    ///
    /// - Throws: 404 for a path with an invalid value, 400 and 422 for query and body, 428 and 400 for `If-Match`.
    func call<E: Endpoint>(_: E.Type, _ input: BodyInput) throws -> Call<E> {
        let path = try FlatCoding.decodePath(E.Path.self, names: route.variables, values: values)
        let asked: E.Query
        if query == nil, let empty = Empty() as? E.Query {
            asked = empty
        } else {
            asked = try FlatCoding.decodeQuery(E.Query.self, from: query.map(String.init))
        }
        let version = try head.expectedVersion(isRequired: route.operation.requiresIfMatch)
        let key = try head.validIdempotencyKey()
        let body: E.Body
        if !route.hasBody, input.bytes.isEmpty, let empty = Empty() as? E.Body {
            body = empty
        } else if route.operation.consumes == .form {
            guard let form = String(validating: input.bytes, as: UTF8.self) else {
                throw Problem(.malformed, "The form is not UTF-8.")
            }
            body = try FlatCoding.decodeQuery(E.Body.self, from: form)
        } else {
            body = try StrictJSON.decode(E.Body.self, from: input.bytes)
        }
        var paging: PageRequest?
        if route.isPaged, let paged = asked as? any PagedQuery {
            let scope = CursorScope(
                pipeline.cursorCode, path: head.target.utf8.prefix { $0 != UInt8(ascii: "?") }, query: query?.utf8)
            paging = try PageRequest(paged.paging, scope: scope)
        }
        return Call(
            path: path, query: asked, body: body, ifMatch: version, idempotencyKey: key, paging: paging, of: self)
    }

    /// The response with everything that the operation declares about it.
    func wire<Value>(_ answer: RouteResponse<Value>) throws -> RawResponse {
        let extra = answer.headers.isEmpty ? route.extra : HTTPFields(Array(answer.headers) + Array(route.extra))
        if let status = answer.status, status.kind != .clientError {
            let operation = route.operation
            let said = [operation.success] + operation.redirects + operation.alternatives
            assert(said.contains(status), "\(route.name) does not say that it answers \(status.code)")
        }
        guard let body = try answer.encoded() else {
            return RawResponse(
                answer.status ?? .noContent, contentType: nil, body: [], requestID: requestID,
                version: answer.version, extra: extra)
        }
        var wired = RawResponse(
            answer.status ?? route.operation.success, contentType: route.operation.produces.rawValue, body: body,
            requestID: requestID, version: answer.version, extra: extra)
        wired.isConfidential = answer.isConfidential
        wired.isPublic = route.isPublic
        return wired
    }

    /// The output of a stream, with the time limit of a stream.
    func output(headers: HTTPFields = [:], to sink: any ResponseSink) -> LineOutput {
        var head = RawResponse(
            route.operation.success, contentType: route.operation.produces.rawValue, body: [], requestID: requestID,
            extra: headers.isEmpty ? route.extra : HTTPFields(Array(headers) + Array(route.extra)))
        head.isPublic = route.isPublic
        return LineOutput(
            head: head, sink: sink, end: .now + pipeline.limits.streamLimit, isHeadOnly: self.head.method == .head)
    }
}
