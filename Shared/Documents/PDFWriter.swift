import CPango

/// Writes documents as PDF 1.5 with embedded fonts. The same document gives the same bytes, as long as pango, cairo
/// and the fonts are the same.
///
/// Takes some milliseconds of CPU time: do not call it on an event loop.
package enum PDFWriter {
    /// - Throws: ``PDFError`` if cairo cannot write it: out of memory.
    package static func write(_ document: Document) throws(PDFError) -> [UInt8] {
        let fonts = FontMap()
        let layout = PageLayout(document, fonts: fonts)
        let output = Output()
        let surface = unsafe cairo_pdf_surface_create_for_stream(
            { closure, bytes, count in
                guard let closure = unsafe closure, let bytes = unsafe bytes else { return CAIRO_STATUS_WRITE_ERROR }
                let output = unsafe Unmanaged<Output>.fromOpaque(closure).takeUnretainedValue()
                unsafe output.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(output).toOpaque(), A4.width, A4.height)
        defer { unsafe cairo_surface_destroy(surface) }
        unsafe cairo_pdf_surface_restrict_to_version(surface, CAIRO_PDF_VERSION_1_5)
        unsafe cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, document.title)
        unsafe cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, document.author)
        unsafe cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, document.date)
        unsafe cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, document.date)
        let canvas = unsafe cairo_create(surface)
        defer { unsafe cairo_destroy(canvas) }
        guard let canvas = unsafe canvas else { throw PDFError(reason: "out of memory") }
        for page in 1...layout.pages {
            unsafe draw(layout.lines.filter { $0.page == page }, on: canvas)
            unsafe drawFoot(document.legalNotice, page: page, of: layout.pages, fonts: fonts, on: canvas)
            unsafe cairo_show_page(canvas)
        }
        unsafe cairo_surface_finish(surface)
        let status = unsafe cairo_surface_status(surface)
        guard status == CAIRO_STATUS_SUCCESS else {
            throw PDFError(reason: unsafe String(cString: cairo_status_to_string(status)))
        }
        return output.bytes
    }

    private final class Output {
        var bytes: [UInt8] = []
    }

    private static func draw(_ lines: [PlacedLine], on canvas: OpaquePointer) {
        for line in lines {
            let grey = line.text.style.grey
            unsafe cairo_set_source_rgb(canvas, grey, grey, grey)
            unsafe cairo_move_to(canvas, line.left, line.baseline)
            unsafe line.text.show(line.index, on: canvas)
        }
    }

    private static func drawFoot(
        _ text: String, page: Int, of pages: Int, fonts: FontMap, on canvas: OpaquePointer
    ) {
        let notice = fonts.layout(text, .small, width: A4.textWidth - 50)
        let number = fonts.layout("\(page)/\(pages)", .small, width: 50)
        for (layout, left) in [(notice, A4.margin), (number, A4.width - A4.margin - 20)] {
            var top = A4.bodyBottom + 14
            let placed = layout.lines.map { line in
                defer { top += line.height }
                return PlacedLine(text: layout, index: line.index, page: page, left: left, baseline: top + line.ascent)
            }
            unsafe draw(placed, on: canvas)
        }
    }
}
