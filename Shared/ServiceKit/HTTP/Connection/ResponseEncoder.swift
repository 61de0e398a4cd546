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
        // Everything else together is shorter than 512 bytes.
        var room = 512 + answer.status.reasonPhrase.utf8.count + answer.requestID.utf8.count
        room += answer.contentType?.utf8.count ?? 0
        for field in answer.extra { room += field.name.canonicalName.utf8.count + field.value.utf8.count + 4 }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
            var head = HeadWriter(bytes)
            write(answer, form, into: &head)
            return head.count
        }
        if !form.omitsBody, form.framing == .length { buffer.writeBytes(answer.body) }
    }

    private static func write(_ answer: RawResponse, _ form: Form, into head: inout HeadWriter) {
        if answer.status == .ok {
            head.append("HTTP/1.1 200 OK\r\n")
        } else {
            head.append("HTTP/1.1 ")
            head.append(text: String(answer.status.code))
            head.append(" ")
            head.append(text: answer.status.reasonPhrase)
            head.append("\r\n")
        }
        if let contentType = answer.contentType {
            head.append("content-type: ")
            head.append(text: contentType)
            head.append("\r\n")
        }
        switch form.framing {
        case .length:
            // 204 never has a Content-Length (RFC 9110, 8.6).
            if answer.status != .noContent, !answer.omitsLength {
                head.append("content-length: ")
                head.append(text: String(answer.body.count))
                head.append("\r\n")
            }
        case .chunks: head.append("transfer-encoding: chunked\r\n")
        case .close: break
        }
        if let version = answer.version {
            head.append("etag: \"")
            head.append(text: String(version))
            head.append("\"\r\n")
        }
        head.append("x-request-id: ")
        head.append(text: answer.requestID)
        head.append("\r\ndate: ")
        head.append(text: HTTPDate.now)
        switch answer.cacheRule {
        case .keepNothing: head.append("\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n")
        case .askAgain: head.append("\r\nx-content-type-options: nosniff\r\ncache-control: no-cache\r\n")
        case nil: head.append("\r\nx-content-type-options: nosniff\r\n")
        }
        // `HTTPField` allows no line break in a value.
        for field in answer.extra {
            head.append(text: field.name.canonicalName)
            head.append(": ")
            head.append(text: field.value)
            head.append("\r\n")
        }
        if !form.keepsAlive {
            head.append("connection: close\r\n")
        } else if form.isOldClient {
            head.append("connection: keep-alive\r\n")
        }
        head.append("\r\n")
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

/// Writes a head into a buffer's free space, whose size is checked once: as writes of their own, its twenty pieces cost
/// three times as much.
private struct HeadWriter {
    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= room.count - count, "the head of a response is longer than its room")
        UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: bytes)
        count += bytes.count
    }
}
