// A file may have been rebuilt since it was loaded; then its symbols are not those of the running program. Two facts
// tell: the kernel marks the path of a replaced file as deleted, and the build id in memory differs from the file's.
// The loaded file may still be accessible through /proc/PID/exe (always) and /proc/PID/map_files (with privilege, and
// while the main thread runs: no other thread's folder has it).
#include "elf/module_list.hpp"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/proc.hpp"
#include "elf/edit_format.hpp"
#include "elf/elf_file.hpp"
#include "elf/notes.hpp"
#include "moult/error.hpp"
#include "platform/loaded_modules.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view deleted_mark = " (deleted)";
constexpr const char* vdso_path = "[vdso]";

bool is_marked_deleted(std::string_view path) {
  return path.size() > deleted_mark.size() && path.substr(path.size() - deleted_mark.size()) == deleted_mark;
}

std::string without_deleted_mark(const std::string& path) {
  return is_marked_deleted(path) ? path.substr(0, path.size() - deleted_mark.size()) : path;
}

std::string executable_of(const std::string& process) {
  std::error_code failure;
  return fs::read_symlink(process + "/exe", failure).string();
}

/// One line of /proc/PID/maps.
struct FileMapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uint64_t offset = 0;
  std::string range;  ///< as written in maps; also its name in map_files
  std::string path;
};

std::optional<FileMapping> parse_mapping(const std::string& line) {
  FileMapping mapping;
  int path = 0;
  if (std::sscanf(line.c_str(), "%lx-%lx %*s %lx %*s %*s %n", &mapping.begin, &mapping.end, &mapping.offset, &path) !=
      3) {
    return std::nullopt;
  }
  mapping.range = line.substr(0, line.find(' '));
  if (path > 0 && static_cast<std::size_t>(path) < line.size())
    mapping.path = line.substr(static_cast<std::size_t>(path));
  return mapping;
}

std::vector<FileMapping> mappings_of(const std::string& process) {
  std::ifstream maps(process + "/maps");
  std::vector<FileMapping> mappings;
  for (std::string line; std::getline(maps, line);) {
    if (std::optional<FileMapping> mapping = parse_mapping(line)) mappings.push_back(std::move(*mapping));
  }
  if (maps.bad()) throw std::bad_alloc();  // std::getline has caught it
  return mappings;
}

/// True if the loader has mapped all of the segment. A damaged header may claim more.
bool is_loaded(const dl_phdr_info& info, const ElfW(Phdr) & segment) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& loaded = info.dlpi_phdr[i];
    if (loaded.p_type == PT_LOAD && segment.p_vaddr >= loaded.p_vaddr &&
        segment.p_vaddr - loaded.p_vaddr <= loaded.p_memsz &&
        segment.p_memsz <= loaded.p_memsz - (segment.p_vaddr - loaded.p_vaddr))
      return true;
  }
  return false;
}

/// The build id in a loaded module's memory. The module may be any library that the program has loaded, so its notes
/// are not trusted.
std::string loaded_build_id(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE || !is_loaded(info, segment)) continue;
    const char* const begin = reinterpret_cast<const char*>(info.dlpi_addr + segment.p_vaddr);
    std::string id = build_id_among(read_notes({begin, segment.p_memsz}, segment.p_align));
    if (!id.empty()) return id;
  }
  return {};
}

CodeRange loaded_range(const dl_phdr_info& info) {
  std::uintptr_t first = std::numeric_limits<std::uintptr_t>::max();
  std::uintptr_t last = 0;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    first = std::min<std::uintptr_t>(first, info.dlpi_addr + segment.p_vaddr);
    last = std::max<std::uintptr_t>(last, info.dlpi_addr + segment.p_vaddr + segment.p_memsz);
  }
  return first < last ? CodeRange{CodeAddress{first}, CodeAddress{last}} : CodeRange{};
}

/// How far the addresses of the segments are from those of the sections and symbols: that of the first segment, if
/// moult has chosen the place of the module.
std::uintptr_t placement_of(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    if (segment.p_offset != 0 || segment.p_vaddr == 0 || segment.p_filesz < sizeof(ElfW(Ehdr))) return 0;
    ElfW(Ehdr) header{};
    std::memcpy(&header, reinterpret_cast<const void*>(info.dlpi_addr + segment.p_vaddr), sizeof header);
    return header.e_flags == placed_flag ? segment.p_vaddr : 0;
  }
  return 0;
}

std::vector<char> own_vdso_image() {
  const char* image = reinterpret_cast<const char*>(::getauxval(AT_SYSINFO_EHDR));
  if (image == nullptr) return {};
  Elf64_Ehdr header{};
  std::memcpy(&header, image, sizeof header);
  return {image, image + header.e_shoff + std::size_t{header.e_shentsize} * header.e_shnum};
}

void add_loaded_module(const dl_phdr_info& info, std::vector<ModulePlace>& places) {
  ModulePlace place;
  place.module.bias = info.dlpi_addr + placement_of(info);
  place.module.text = loaded_range(info);
  place.loaded_build_id = loaded_build_id(info);
  if (places.empty()) {
    place.module.path = without_deleted_mark(executable_of(proc::own_folder));
    place.open_path = proc::own_executable;
  } else if (place.module.text.contains(CodeAddress{::getauxval(AT_SYSINFO_EHDR)})) {
    place.module.path = vdso_path;
    place.image = own_vdso_image();
  } else {
    place.module.path = info.dlpi_name;
    place.open_path = info.dlpi_name;
  }
  places.push_back(std::move(place));
}

/// For replaced files of this process, finds a path to the file that was loaded.
void find_replaced_files(std::vector<ModulePlace>& places) {
  const std::vector<FileMapping> mappings = mappings_of(proc::own_folder);
  for (ModulePlace& place : places) {
    const auto mapped = std::find_if(mappings.begin(), mappings.end(), [&](const FileMapping& mapping) {
      return place.module.text.contains(CodeAddress{mapping.begin}) && is_marked_deleted(mapping.path);
    });
    if (mapped == mappings.end() || place.open_path == proc::own_executable) continue;
    place.open_path = "/proc/self/map_files/" + mapped->range;
  }
}

/// The adjacent mappings of one file, from its beginning on.
ModulePlace place_of(const std::string& process, const std::vector<FileMapping>& mappings, std::size_t first,
                     std::size_t last) {
  const FileMapping& begin = mappings[first];
  ModulePlace place;
  place.module.path = without_deleted_mark(begin.path);
  place.module.text = {CodeAddress{begin.begin}, CodeAddress{mappings[last].end}};
  if (begin.path == vdso_path) {
    place.image = own_vdso_image();
  } else if (begin.path == executable_of(process)) {
    place.open_path = process + "/exe";
  } else {
    place.open_path =
        is_marked_deleted(begin.path) ? process + "/map_files/" + begin.range : process + "/root" + begin.path;
  }
  return place;
}

/// Reads from the file what maps does not tell: the address of the file's first mapping. Nothing for files that are
/// mapped without being loaded (locales, data) and are no ELF files.
bool complete(ModulePlace& place, std::uint64_t offset) {
  try {
    const ElfFile file = place.image.empty() ? ElfFile::open(place.open_path, place.module.path)
                                             : ElfFile::of_image(place.image, place.module.path);
    const std::optional<std::uint64_t> address = file.address_of_offset(offset);
    if (!address) return false;
    place.module.bias = value(place.module.text.begin) - *address;
    const std::uint64_t last = value(file.loaded_range().end);
    if (last > 0) place.module.text.end = CodeAddress{place.module.bias + last};
  } catch (const Error& error) {
    place.module.problem = error.what();
  }
  return true;
}

}  // namespace

std::vector<ModulePlace> modules_of_this_process() {
  std::vector<ModulePlace> places;
  visit_loaded_modules([&](const dl_phdr_info& info) {
    add_loaded_module(info, places);
    return true;
  });
  find_replaced_files(places);
  return places;
}

std::vector<ModulePlace> modules_of_process(int pid) {
  const std::string process = proc::folder_of(pid);
  const std::string name = "process " + std::to_string(pid);
  if (!fs::exists(process)) throw Error(ErrorCode::not_found, name + ": there is no such process");
  const std::vector<FileMapping> mappings = mappings_of(process);
  if (mappings.empty()) {
    throw Error(ErrorCode::unreadable, name + ": its memory map cannot be read; use the same user as the process's");
  }
  std::vector<ModulePlace> places;
  for (std::size_t first = 0; first < mappings.size();) {
    std::size_t last = first;
    while (last + 1 < mappings.size() && mappings[last + 1].path == mappings[first].path) ++last;
    const std::string& path = mappings[first].path;
    const bool loadable = path == vdso_path || (!path.empty() && path.front() == '/');
    ModulePlace place = loadable ? place_of(process, mappings, first, last) : ModulePlace{};
    const bool is_module = loadable && complete(place, mappings[first].offset);
    if (is_module) places.push_back(std::move(place));
    first = last + 1;
    // Zeros between two of its segments have no path.
    while (is_module && first < mappings.size() &&
           places.back().module.text.contains(CodeAddress{mappings[first].begin}))
      ++first;
  }
  std::stable_partition(places.begin(), places.end(),
                        [&](const ModulePlace& place) { return place.open_path == process + "/exe"; });
  return places;
}

std::uint64_t module_generation() {
  std::uint64_t generation = 0;
  visit_loaded_modules([&](const dl_phdr_info& info) {
    generation = info.dlpi_adds + info.dlpi_subs;
    return false;
  });
  return generation;
}

}  // namespace moult::internal
