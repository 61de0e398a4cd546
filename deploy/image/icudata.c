/* ICU's data library without data, like ICU's own stubdata.cpp: a header and an empty table of contents. */
#include <stdint.h>

#define NAME_(version) icudt##version##_dat
#define NAME(version) NAME_(version)

/* UDataInfo (udata.h), between the header's size with its two magic bytes and the empty table of contents. */
const struct {
    uint16_t header_size;
    uint8_t magic[2];
    uint16_t info_size, reserved_word;
    uint8_t is_big_endian, charset_family, size_of_uchar, reserved_byte;
    uint8_t data_format[4], format_version[4], data_version[4];
    uint8_t padding[8];
    int32_t count, reserved;
} NAME(ICU_VERSION) __attribute__((aligned(16))) = {
    32, {0xda, 0x27}, 20, 0,
    __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, 0, 2, 0,
    {0x54, 0x6f, 0x43, 0x50}, {1, 0, 0, 0}, {0, 0, 0, 0},
    {0}, 0, 0,
};
