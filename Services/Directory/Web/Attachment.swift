import HTTPTypes

extension HTTPFields {
    /// A download with this ASCII file name.
    static func attachment(_ name: String) -> HTTPFields {
        [.contentDisposition: "attachment; filename=\"\(name)\""]
    }
}
