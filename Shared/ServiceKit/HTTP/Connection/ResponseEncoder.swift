import HTTPTypes
import NIOCore

/// Writes responses as HTTP/1.1 (RFC 9112): one buffer each, so that one system call sends it.
enum ResponseEncoder {
    /// How the end of the body is marked.
    enum Framing {
        case length
        case chunks
        /// By closing the connection: for streams to HTTP/1.0 clients.
        case close
    }

    struct Form {
        var framing = Framing.length
        /// The response to HEAD: everything but the body.
        var omitsBody = false
        var keepsAlive: Bool
        /// HTTP/1.0 has to be told that the connection stays open, HTTP/1.1 that it does not.
        var isOldClient = false
    }

    static func encode(_ answer: RawResponse, _ form: Form, into buffer: inout ByteBuffer) {
        if answer.status == .ok {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            buffer.writeString("HTTP/1.1 \(answer.status.code) \(answer.status.reasonPhrase)\r\n")
        }
        if let contentType = answer.contentType {
            buffer.writeStaticString("content-type: ")
            buffer.writeString(contentType)
            buffer.writeStaticString("\r\n")
        }
        switch form.framing {
        case .length:
            // 204 never has a Content-Length (RFC 9110, 8.6).
            if answer.status != .noContent, !answer.omitsLength {
                buffer.writeStaticString("content-length: ")
                buffer.writeString(String(answer.body.count))
                buffer.writeStaticString("\r\n")
            }
        case .chunks: buffer.writeStaticString("transfer-encoding: chunked\r\n")
        case .close: break
        }
        if let version = answer.version {
            buffer.writeStaticString("etag: \"")
            buffer.writeString(String(version))
            buffer.writeStaticString("\"\r\n")
        }
        buffer.writeStaticString("x-request-id: ")
        buffer.writeString(answer.requestID)
        buffer.writeStaticString("\r\ndate: ")
        buffer.writeString(HTTPDate.now)
        switch answer.cacheRule {
        case .keepNothing:
            buffer.writeStaticString("\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n")
        case .askAgain:
            buffer.writeStaticString("\r\nx-content-type-options: nosniff\r\ncache-control: no-cache\r\n")
        case nil: buffer.writeStaticString("\r\nx-content-type-options: nosniff\r\n")
        }
        // `HTTPField` allows no line break in a value.
        for field in answer.extra {
            buffer.writeString(field.name.canonicalName)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        if !form.keepsAlive {
            buffer.writeStaticString("connection: close\r\n")
        } else if form.isOldClient {
            buffer.writeStaticString("connection: keep-alive\r\n")
        }
        buffer.writeStaticString("\r\n")
        if !form.omitsBody, form.framing == .length { buffer.writeBytes(answer.body) }
    }

    static func encode(chunk bytes: [UInt8], _ framing: Framing, into buffer: inout ByteBuffer) {
        guard framing == .chunks else {
            buffer.writeBytes(bytes)
            return
        }
        buffer.writeString(String(bytes.count, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(bytes)
        buffer.writeStaticString("\r\n")
    }
}
