#include "elf/separate_debug.hpp"

#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

struct DebugLink {
  std::string name;
  std::uint32_t checksum = 0;
};

/// The section holds a name with its zero byte, padded to four bytes, and a checksum.
std::optional<DebugLink> debug_link_of(const ElfFile& program) {
  const Elf_Data* data = program.data(program.section(".gnu_debuglink"));
  if (data == nullptr || data->d_size < 8) return std::nullopt;
  const char* bytes = static_cast<const char*>(data->d_buf);
  DebugLink link{std::string(bytes, ::strnlen(bytes, data->d_size - 4)), 0};
  std::memcpy(&link.checksum, bytes + data->d_size - 4, 4);
  // A name that contains a folder could lead anywhere.
  if (link.name.empty() || link.name.find('/') != std::string::npos) return std::nullopt;
  return link;
}

std::uint32_t crc32_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> buffer(1U << 16U);
  uLong sum = ::crc32(0, nullptr, 0);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0)
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(buffer.data()), static_cast<uInt>(file.gcount()));
  return static_cast<std::uint32_t>(sum);
}

std::optional<ElfFile> open_if_elf(const fs::path& path) {
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return std::nullopt;
  try {
    return ElfFile::open(path.string());
  } catch (const Error&) {
    return std::nullopt;  // no debug file there, which is not the program's fault
  }
}

std::optional<ElfFile> by_build_id(const std::string& id, const fs::path& debug_root) {
  if (id.size() < 4) return std::nullopt;
  std::optional<ElfFile> file = open_if_elf(debug_root / ".build-id" / id.substr(0, 2) / (id.substr(2) + ".debug"));
  if (file && file->build_id() != id) file.reset();
  return file;
}

struct SupplementaryLink {
  std::string name;
  std::string id;  ///< the build id in hex
};

/// The section .gnu_debugaltlink holds a name with its zero byte, and a build id.
std::optional<SupplementaryLink> supplementary_link_of(const ElfFile& debug) {
  const std::string_view bytes = debug.section_bytes(".gnu_debugaltlink");
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  SupplementaryLink link{std::string(bytes.substr(0, end)), {}};
  for (const char byte : bytes.substr(end + 1)) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    link.id += {digits[value >> 4U], digits[value & 15U]};
  }
  return link;
}

/// The section .debug_sup holds the version in two bytes, whether this is the supplementary file itself, and a name
/// (DWARF 5, 7.3.6). Empty when the file needs no other.
std::string standard_link_of(const ElfFile& debug) {
  constexpr std::size_t name_at = 3;
  const std::string_view bytes = debug.section_bytes(".debug_sup");
  if (bytes.size() <= name_at || bytes[name_at - 1] != 0) return {};
  return std::string(bytes.substr(name_at, bytes.find('\0', name_at) - name_at));
}

}  // namespace

std::optional<ElfFile> find_separate_debug(const ElfFile& program, const fs::path& debug_root) {
  const std::string id = program.build_id();
  if (std::optional<ElfFile> file = by_build_id(id, debug_root)) return file;
  const std::optional<DebugLink> link = debug_link_of(program);
  if (!link) return std::nullopt;
  const fs::path folder = fs::path(program.path()).parent_path();
  for (const fs::path& place : {folder, folder / ".debug", debug_root / folder.relative_path()}) {
    const fs::path path = place / link->name;
    std::optional<ElfFile> file = open_if_elf(path);
    if (!file) continue;
    if (id.empty() ? crc32_of(path) == link->checksum : file->build_id() == id) return file;
  }
  return std::nullopt;
}

std::optional<SupplementaryDebug> find_supplementary_debug(const ElfFile& debug, const fs::path& debug_root) {
  const std::string standard = standard_link_of(debug);
  if (!standard.empty()) return SupplementaryDebug{standard, std::nullopt};
  const std::optional<SupplementaryLink> link = supplementary_link_of(debug);
  if (!link) return std::nullopt;
  SupplementaryDebug found{link->name, open_if_elf(fs::path(debug.path()).parent_path() / link->name)};
  if (found.file && found.file->build_id() != link->id) found.file.reset();
  if (!found.file) found.file = by_build_id(link->id, debug_root);
  return found;
}

}  // namespace moult::internal
