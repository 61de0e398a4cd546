import ClubProtocol
import HTTPTypes
import NIOCore
import NIOHTTP1

/// What has arrived before the parser sees it, and the responses to what the parser refuses.
extension ConnectionHandler {
    func bytesArriving(_ buffer: ByteBuffer) {
        arriving = buffer
        lastActive = .now()
        received += buffer.readableBytes
        receivedInTime += buffer.readableBytes
        // A socket is read once in a turn of the event loop.
        requestsInTurn = 0
        if phase == .idle { hasPartOfHead = true }
        guard lineOfUnknownMethod != nil else { return }
        lineOfUnknownMethod?.append(contentsOf: buffer.readableBytesView.prefix(longestLine))
        settleUnknownMethod()
    }

    func bytesArrived() {
        if phase == .idle, hasPartOfHead, !hasFirstLine, let arriving {
            hasFirstLine = arriving.readableBytesView.contains(UInt8(ascii: "\n"))
        }
        arriving = nil
        if phase == .closing, received > Self.discardable * 4 { context?.close(promise: nil) }
    }

    func refused(by error: HTTPParserError) {
        if error == .invalidMethod, phase == .idle || phase.isBusy, let line = beginOfUnknownMethod() {
            lineOfUnknownMethod = line
            return settleUnknownMethod()
        }
        blame(problem(for: error))
    }

    /// Reports what is wrong with the input that follows all that was understood, once that has been answered.
    private func blame(_ problem: Problem) {
        switch phase {
        case .idle, .receiving: refuse(problem)
        case .answering, .sending, .yielding: parkedFault = parkedFault ?? problem
        case .discarding: context?.close(promise: nil)
        case .closing: break
        }
    }

    private func problem(for error: HTTPParserError) -> Problem {
        switch error {
        // Within a request it is the trailers that are too long.
        case .headerOverflow where !isWithinRequest && phase == .idle && isFirstLineTooLong: Problem(.uriTooLong)
        case .headerOverflow: Problem(.headerTooLarge)
        default: Problem(.malformed, "The request is not valid HTTP/1.1.")
        }
    }

    private var isFirstLineTooLong: Bool {
        guard !hasFirstLine, let view = arriving?.readableBytesView else { return false }
        let end = view.firstIndex(of: UInt8(ascii: "\n")) ?? view.endIndex
        return received - view.count + (end - view.startIndex) > limits.uriBytes
    }

    // MARK: Methods that the parser does not know

    /// The length of a request line with the longest target, and room for the rest.
    private var longestLine: Int { limits.uriBytes + 64 }

    /// The parser stops at the first letter of a method that it does not know, wherever the packet ends, so the line is
    /// read here: 405 is for known paths only.
    ///
    /// - Returns: what has arrived of the line: the first one, after a blank line or after the last packet, whose
    ///   method the parser does not know; nil if there is none.
    private func beginOfUnknownMethod() -> [UInt8]? {
        guard let view = arriving?.readableBytesView else { return nil }
        var rest = view[...]
        while !rest.isEmpty {
            let method = rest.prefix(32).prefix { ContentType.isToken($0) }
            if !method.isEmpty, case .RAW = HTTPMethod(rawValue: String(decoding: method, as: UTF8.self)) {
                return Array(rest.prefix(longestLine))
            }
            guard let blank = Self.endOfBlankLine(in: rest) else { return nil }
            rest = rest[blank...]
        }
        return nil
    }

    private static func endOfBlankLine(in view: ByteBufferView) -> Int? {
        var rest = view
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            rest = rest[(end + 1)...]
            if rest.starts(with: "\r\n".utf8) { return rest.startIndex + 2 }
        }
        return nil
    }

    /// Answers when the line is complete, or cannot become one. Until then the time limit of a head applies.
    private func settleUnknownMethod() {
        guard let line = lineOfUnknownMethod else { return }
        let end = line.firstIndex { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        let words = line[..<(end ?? line.count)].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        // A method and a target.
        let isPlausible =
            words.count <= 3 && words[0].allSatisfy(ContentType.isToken)
            && words.dropFirst().allSatisfy { $0.allSatisfy { (0x21...0x7E).contains($0) } }
        guard end != nil || !isPlausible || line.count >= longestLine else {
            hasPartOfHead = phase == .idle
            return
        }
        lineOfUnknownMethod = nil
        blame(
            isPlausible ? problem(forUnknownMethodIn: words) : Problem(.malformed, "The request is not valid HTTP/1.1.")
        )
    }

    private func problem(forUnknownMethodIn words: [ArraySlice<UInt8>]) -> Problem {
        if words.count > 1, words[1].count > limits.uriBytes { return Problem(.uriTooLong) }
        guard words.count == 3, words[2].starts(with: "HTTP/1.".utf8) else {
            return Problem(.malformed, "The request is not valid HTTP/1.1.")
        }
        guard let allow = responder.allowed(String(decoding: words[1], as: UTF8.self)) else {
            return Problem(.notFound)
        }
        return Problem(.methodNotAllowed, headers: [.allow: allow])
    }
}
