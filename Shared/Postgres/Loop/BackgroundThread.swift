import Glibc

/// Threads for what blocks, so that none of Swift's pool is held.
package enum BackgroundThread {
    private final class RoutedRequest: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs `body` on a thread of its own, which ends with it. Where the system has no thread left, `body` is not run.
    ///
    /// - Parameter name: what `ps` and debuggers show; Linux keeps the first 15 bytes of it.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let work = unsafe Unmanaged.passRetained(RoutedRequest(name: name, body: body)).toOpaque()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = unsafe pthread_create(&thread, &attributes, entry, work)
        unsafe pthread_attr_destroy(&attributes)
        if code != 0 { unsafe Unmanaged<RoutedRequest>.fromOpaque(work).release() }
    }

    private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument = unsafe argument else { return nil }
        let work = unsafe Unmanaged<RoutedRequest>.fromOpaque(argument).takeRetainedValue()
        setName(work.name)
        work.body()
        return nil
    }

    /// Names the thread that calls; without the file system of the kernel's it has the name of the process.
    private static func setName(_ name: String) {
        guard let file = unsafe fopen("/proc/thread-self/comm", "we") else { return }
        unsafe fputs(name, file)
        unsafe fclose(file)
    }
}
