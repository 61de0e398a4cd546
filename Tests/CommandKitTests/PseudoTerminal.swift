import Glibc
import ServiceKit

/// A terminal without a screen.
struct PseudoTerminal {
    let screen: OpenFile
    private let keyboard: OpenFile

    init(columns: UInt16) throws(FileFailure) {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        guard master >= 0 else { throw FileFailure() }
        keyboard = OpenFile(descriptor: master)
        // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)): unlock it, and get its number.
        var lock: CInt = 0
        var number: CUnsignedInt = 0
        guard ioctl(master, 0x4004_5431, &lock) == 0, ioctl(master, 0x8004_5430, &number) == 0 else {
            throw FileFailure()
        }
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        guard slave >= 0 else { throw FileFailure() }
        screen = OpenFile(descriptor: slave)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(slave, UInt(TIOCSWINSZ), &size) == 0 else { throw FileFailure() }
    }
}

/// A pipe, as standard output is when another program reads a command's output.
struct OpenPipe {
    let writing: OpenFile
    private let reading: OpenFile

    init() throws(FileFailure) {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileFailure() }
        reading = OpenFile(descriptor: ends[0])
        writing = OpenFile(descriptor: ends[1])
    }
}
