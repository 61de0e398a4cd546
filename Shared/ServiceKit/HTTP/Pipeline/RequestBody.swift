import ClubProtocol
import HTTPTypes

/// What happens to the request's body.
enum BodyRule: Sendable {
    /// The operation has no body: what arrives is read and dropped.
    case ignore
    case collect(limit: Int)
    case stream(limit: Int)

    /// - Throws: 413 and 415 for a body that the operation does not take.
    static func of(
        _ head: RequestHead, _ route: Route, isAnonymous: Bool, _ limits: HTTPLimits
    ) throws(Problem) -> BodyRule {
        // A body that the operation does not read may be of any type: mail programs post a form to unsubscribe (RFC
        // 8058).
        guard route.hasBody || route.input == .upload else { return .ignore }
        let isUpload = route.input == .upload
        let limit = limits.bodyBytes(route.operation, isUpload: isUpload, isAnonymous: isAnonymous)
        if head.hasBody {
            guard !head.isEncoded, route.operation.media(of: head.contentType) != nil else {
                let names = route.operation.bodyNames.joined(separator: ", ")
                throw Problem(.unsupportedMediaType, "This operation takes \(names).", headers: [.accept: names])
            }
            guard (head.contentLength ?? 0) <= limit else { throw .tooLarge(limit) }
        }
        return isUpload ? .stream(limit: limit) : .collect(limit: limit)
    }

    /// A complete body, as the route receives it.
    func input(_ bytes: [UInt8]) -> BodyInput {
        switch self {
        case .ignore: .bytes([])
        case .collect: .bytes(bytes)
        case .stream: .upload(UploadBody(bytes: bytes))
        }
    }
}

/// What its route receives of a body.
enum BodyInput: Sendable {
    case bytes([UInt8])
    case upload(UploadBody)

    var bytes: [UInt8] { if case .bytes(let bytes) = self { bytes } else { [] } }
}

extension Operation {
    /// The media type of a body, among those that the operation accepts; nil for any other.
    func media(of contentType: String?) -> Media? {
        // Character sets other than UTF-8 would be misread; other parameters have no meaning here.
        guard let type = contentType.flatMap(ContentType.init), type.charset?.hasSameBytes(as: "utf-8") ?? true else {
            return nil
        }
        let name = type.name
        let isFirst =
            name.hasSameBytes(as: consumes.rawValue)
            || (method == .patch && name.hasSameBytes(as: "application/merge-patch+json"))
        if isFirst { return consumes }
        return alsoConsumes.first { media in media.names.contains { $0.hasSameBytes(as: name) } }
    }
}
