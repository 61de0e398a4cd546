import Glibc

/// Threads for blocking calls, so that Swift's thread pool is not blocked.
package enum BackgroundThread {
    private final class Work: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs `body` on its own thread, which ends with it.
    ///
    /// - Parameter name: shown by `ps` and debuggers; Linux keeps the first 15 bytes.
    /// - Returns: false if the system cannot create a thread: then `body` is not run.
    @discardableResult
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let work = unsafe Unmanaged.passRetained(Work(name: name, body: body)).toOpaque()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = unsafe pthread_create(&thread, &attributes, entry, work)
        unsafe pthread_attr_destroy(&attributes)
        if code != 0 { unsafe Unmanaged<Work>.fromOpaque(work).release() }
        return code == 0
    }

    private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument = unsafe argument else { return nil }
        let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        setName(work.name)
        work.body()
        return nil
    }

    /// Names the calling thread; without `/proc` it keeps the name of the process.
    private static func setName(_ name: String) {
        guard let file = unsafe fopen("/proc/thread-self/comm", "we") else { return }
        unsafe fputs(name, file)
        unsafe fclose(file)
    }
}
