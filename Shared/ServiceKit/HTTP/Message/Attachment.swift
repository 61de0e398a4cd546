package import HTTPTypes

extension HTTPFields {
    /// A download with this ASCII file name.
    package static func attachment(_ name: String) -> HTTPFields {
        [.contentDisposition: "attachment; filename=\"\(name)\""]
    }
}
