import Foundation
import Glibc

/// A blocking socket, used on threads of its own so that a test can be ruder than any client library.
package final class RawSocket: Sendable {
    private let descriptor: Int32

    /// - Parameters:
    ///   - host: an IPv4 address.
    ///   - window: the kernel's receive buffer in bytes; the kernel's own choice by default.
    package init(host: String = "127.0.0.1", port: Int, window: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var window {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw POSIXError(.ECONNREFUSED) }
        // Far beyond every limit under test; only keeps a wrong server from hanging the run.
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Foundation.close(descriptor) }

    /// Sends as much as the other side reads; false once it reads no more.
    @discardableResult
    package func send(_ text: String) async -> Bool { await send(Array(text.utf8)) }

    @discardableResult
    package func send(_ bytes: [UInt8]) async -> Bool {
        await onThread { [self] in
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }

    /// Everything until the other side closes.
    package func readAll() async -> String {
        await onThread { [self] in
            var all: [UInt8] = []
            while let bytes = receive() { all += bytes }
            return String(decoding: all, as: UTF8.self)
        }
    }

    /// Reads this number of bytes, or until the other side closes.
    package func read(_ count: Int) async -> Int {
        await onThread { [self] in
            var bytes = [UInt8](repeating: 0, count: count)
            var taken = 0
            while taken < count {
                let more = bytes[taken...].withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
                guard more > 0 else { break }
                taken += more
            }
            return taken
        }
    }

    /// Reads until `text` has arrived, or the other side closes.
    package func read(until text: String) async -> String {
        await onThread { [self] in
            var all: [UInt8] = []
            while !String(decoding: all, as: UTF8.self).contains(text), let bytes = receive() { all += bytes }
            return String(decoding: all, as: UTF8.self)
        }
    }

    package func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset, as when a client is killed.
    package func vanish() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Foundation.linger>.size))
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    private func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }
}
