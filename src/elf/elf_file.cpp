#include "elf/elf_file.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "elf/edit_format.hpp"
#include "elf/notes.hpp"
#include "elf/reader_memory.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

Fd open_regular_file(const std::string& path, const std::string& shown) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw_unreadable(shown, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_unreadable(shown, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) throw_unreadable(shown, "is a directory, not a program or a library");
  if (!S_ISREG(status.st_mode)) throw_unreadable(shown, "is no regular file");
  if (status.st_size == 0) throw_unreadable(shown, "is empty");
  return fd;
}

/// The build id among the notes of `data`, or empty.
std::string build_id_in(const Elf_Data* data, std::uint64_t alignment) {
  if (data == nullptr || data->d_buf == nullptr) return {};
  return build_id_among(read_notes({static_cast<const char*>(data->d_buf), data->d_size}, alignment));
}

}  // namespace

ElfFile::ElfFile(std::string shown, Fd fd, std::vector<char> image) noexcept
    : shown_(std::move(shown)), fd_(std::move(fd)), image_(std::move(image)) {
  elf_version(EV_CURRENT);
}

ElfFile::~ElfFile() = default;

ElfFile ElfFile::open(const std::string& path, const std::string& shown) {
  make_readers_throw();
  ElfFile file(shown, open_regular_file(path, shown), {});
  file.elf_.reset(elf_begin(file.fd_.get(), ELF_C_READ_MMAP, nullptr));
  file.require_x86_64();
  file.give_descriptor_back();
  return file;
}

/// A program has as many descriptors as it wants to itself, and may have hundreds of libraries. libelf has mapped the
/// file. Only libdw needs the descriptor, to find files beside it.
void ElfFile::give_descriptor_back() {
  if (section(".debug_info") != nullptr || section(".zdebug_info") != nullptr) return;
  if (elf_cntl(handle(), ELF_C_FDREAD) == 0) fd_.reset();
}

ElfFile ElfFile::of_image(std::vector<char> image, const std::string& shown) {
  make_readers_throw();
  ElfFile file(shown, Fd(), std::move(image));
  file.elf_.reset(elf_memory(file.image_.data(), file.image_.size()));
  file.require_x86_64();
  return file;
}

void ElfFile::require_x86_64() const {
  if (!elf_) throw_unreadable(shown_, std::string("is no ELF file: ") + elf_errmsg(-1));
  if (elf_kind(handle()) != ELF_K_ELF) throw_unreadable(shown_, "is no ELF file");
  GElf_Ehdr header{};
  if (gelf_getehdr(handle(), &header) == nullptr) throw_unreadable(shown_, "its ELF header is cut short");
  if (gelf_getclass(handle()) != ELFCLASS64 || header.e_machine != EM_X86_64) {
    throw_unreadable(shown_, "is no 64-bit x86-64 file; moult knows no other machine");
  }
}

Elf_Scn* ElfFile::section(const char* name) const {
  std::size_t names = 0;
  if (elf_getshdrstrndx(handle(), &names) != 0) return nullptr;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(handle(), section)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* found = elf_strptr(handle(), names, header.sh_name);
    if (found != nullptr && std::strcmp(found, name) == 0) return section;
  }
  return nullptr;
}

Elf_Scn* ElfFile::section_of_type(std::uint32_t type) const {
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(handle(), section)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) != nullptr && header.sh_type == type) return section;
  }
  return nullptr;
}

Elf_Data* ElfFile::data(Elf_Scn* section) const {
  if (section == nullptr) return nullptr;
  Elf_Data* data = elf_getdata(section, nullptr);
  return data != nullptr && data->d_buf != nullptr ? data : nullptr;
}

std::string_view ElfFile::section_bytes(const char* name) const {
  const Elf_Data* const found = data(section(name));
  if (found == nullptr) return {};
  return {static_cast<const char*>(found->d_buf), found->d_size};
}

std::string_view ElfFile::bytes() const {
  std::size_t size = 0;
  const char* begin = elf_rawfile(handle(), &size);
  return begin != nullptr ? std::string_view(begin, size) : std::string_view();
}

std::string ElfFile::build_id() const {
  std::size_t segments = 0;
  if (elf_getphdrnum(handle(), &segments) == 0) {
    for (std::size_t i = 0; i < segments; ++i) {
      GElf_Phdr header{};
      if (gelf_getphdr(handle(), static_cast<int>(i), &header) == nullptr || header.p_type != PT_NOTE) continue;
      const std::int64_t offset = static_cast<std::int64_t>(header.p_offset);
      std::string id = build_id_in(elf_getdata_rawchunk(handle(), offset, header.p_filesz, ELF_T_BYTE), header.p_align);
      if (!id.empty()) return id;
    }
  }
  // A debug file's segments are empty, but its sections are not.
  return build_id_in(data(section(".note.gnu.build-id")), 4);
}

std::vector<CodeRange> ElfFile::code_sections() const {
  std::vector<CodeRange> sections;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(handle(), section)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr || (header.sh_flags & SHF_EXECINSTR) == 0) continue;
    sections.push_back({CodeAddress{header.sh_addr}, CodeAddress{header.sh_addr + header.sh_size}});
  }
  std::sort(sections.begin(), sections.end());
  return sections;
}

const CodeRange* range_at(const std::vector<CodeRange>& ranges, std::uint64_t address) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), CodeAddress{address},
                                      [](CodeAddress wanted, const CodeRange& range) { return wanted < range.begin; });
  if (after == ranges.begin()) return nullptr;
  const CodeRange& last = *std::prev(after);
  return last.contains(CodeAddress{address}) ? &last : nullptr;
}

CodeRange ElfFile::loaded_range() const {
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t last = 0;
  std::size_t segments = 0;
  elf_getphdrnum(handle(), &segments);
  for (std::size_t i = 0; i < segments; ++i) {
    GElf_Phdr header{};
    if (gelf_getphdr(handle(), static_cast<int>(i), &header) == nullptr || header.p_type != PT_LOAD) continue;
    first = std::min(first, header.p_vaddr);
    last = std::max(last, header.p_vaddr + header.p_memsz);
  }
  const std::uint64_t placed = placement_of(handle());
  return first <= last ? CodeRange{CodeAddress{first - placed}, CodeAddress{last - placed}} : CodeRange{};
}

std::optional<std::uint64_t> ElfFile::address_of_offset(std::uint64_t offset) const {
  constexpr std::uint64_t page = 4096;
  std::size_t segments = 0;
  elf_getphdrnum(handle(), &segments);
  for (std::size_t i = 0; i < segments; ++i) {
    GElf_Phdr header{};
    if (gelf_getphdr(handle(), static_cast<int>(i), &header) == nullptr || header.p_type != PT_LOAD) continue;
    const std::uint64_t mapped_from = header.p_offset & ~(page - 1);
    if (offset >= mapped_from && offset < header.p_offset + std::max<std::uint64_t>(header.p_filesz, 1)) {
      return header.p_vaddr - header.p_offset + offset - placement_of(handle());
    }
  }
  return std::nullopt;
}

std::uint64_t placement_of(Elf* elf) {
  GElf_Ehdr header{};
  if (gelf_getehdr(elf, &header) == nullptr || header.e_flags != placed_flag) return 0;
  std::size_t segments = 0;
  elf_getphdrnum(elf, &segments);
  for (std::size_t i = 0; i < segments; ++i) {
    GElf_Phdr segment{};
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) != nullptr && segment.p_type == PT_LOAD)
      return segment.p_vaddr;
  }
  return 0;
}

std::string build_id_of(const std::string& path) { return ElfFile::open(path).build_id(); }

[[noreturn]] void throw_unreadable(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::unreadable, path + ": " + why);
}

}  // namespace moult::internal
