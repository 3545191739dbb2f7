#include "elf/reader_memory.hpp"

#include <elf.h>
#include <link.h>
#include <search.h>
#include <zlib.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "base/strict_memory.hpp"
#include "platform/loaded_modules.hpp"
#include "platform/memory.hpp"

namespace moult::internal {
namespace {

constinit std::atomic<std::uint64_t> failed_allocations = 0;

template <class T>
T* checked(T* made) {
  if (made == nullptr && StrictMemory::is_on()) throw_reader_out_of_memory();
  return made;
}

int checked_zlib(int result) {
  if (result == Z_MEM_ERROR) checked<void>(nullptr);
  return result;
}

void* checked_malloc(std::size_t size) { return checked(std::malloc(size != 0 ? size : 1)); }
void* checked_calloc(std::size_t count, std::size_t size) {
  return count == 0 || size == 0 ? std::calloc(1, 1) : checked(std::calloc(count, size));
}
void* checked_realloc(void* block, std::size_t size) {
  return size == 0 ? std::realloc(block, size) : checked(std::realloc(block, size));
}
void* checked_reallocarray(void* block, std::size_t count, std::size_t size) {
  return count == 0 || size == 0 ? ::reallocarray(block, count, size) : checked(::reallocarray(block, count, size));
}
char* checked_strdup(const char* text) { return checked(::strdup(text)); }
void* checked_tsearch(const void* key, void** root, int (*compare)(const void*, const void*)) {
  return checked(::tsearch(key, root, compare));
}
int checked_inflate_init(z_streamp stream, const char* version, int size) {
  return checked_zlib(::inflateInit_(stream, version, size));
}
int checked_inflate(z_streamp stream, int flush) { return checked_zlib(::inflate(stream, flush)); }

struct Checked {
  std::string_view name;
  std::uintptr_t function;
};

template <class Function>
std::uintptr_t address_of(Function* function) noexcept {
  return reinterpret_cast<std::uintptr_t>(function);
}

auto checked_functions() noexcept {
  return std::array{
      Checked{"malloc", address_of(checked_malloc)},
      Checked{"calloc", address_of(checked_calloc)},
      Checked{"realloc", address_of(checked_realloc)},
      Checked{"reallocarray", address_of(checked_reallocarray)},
      Checked{"strdup", address_of(checked_strdup)},
      Checked{"tsearch", address_of(checked_tsearch)},
      Checked{"inflateInit_", address_of(checked_inflate_init)},
      Checked{"inflate", address_of(checked_inflate)},
  };
}

bool is_reader(std::string_view path) noexcept {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.starts_with("libelf.so") || name.starts_with("libelf-") || name.starts_with("libdw.so") ||
         name.starts_with("libdw-");
}

struct Relocations {
  const Elf64_Rela* first = nullptr;
  std::size_t count = 0;
};

/// What the dynamic section of a library says. glibc has relocated its pointers.
struct Linkage {
  explicit Linkage(const Elf64_Dyn* entry) noexcept {
    for (; entry->d_tag != DT_NULL; ++entry) switch (entry->d_tag) {
        case DT_SYMTAB: symbols = reinterpret_cast<const Elf64_Sym*>(entry->d_un.d_ptr); break;
        case DT_STRTAB: strings = reinterpret_cast<const char*>(entry->d_un.d_ptr); break;
        case DT_JMPREL: calls.first = reinterpret_cast<const Elf64_Rela*>(entry->d_un.d_ptr); break;
        case DT_PLTRELSZ: calls.count = entry->d_un.d_val / sizeof(Elf64_Rela); break;
        case DT_RELA: data.first = reinterpret_cast<const Elf64_Rela*>(entry->d_un.d_ptr); break;
        case DT_RELASZ: data.count = entry->d_un.d_val / sizeof(Elf64_Rela); break;
        default: break;
      }
  }

  const Elf64_Sym* symbols = nullptr;
  const char* strings = nullptr;
  Relocations calls;
  Relocations data;
};

/// A slot through which a library calls one of the functions.
struct Slot {
  std::uintptr_t place = 0;
  std::uintptr_t function = 0;
};

void add_slots(std::uintptr_t bias, const Linkage& linkage, const Relocations& relocations, std::vector<Slot>& slots) {
  for (const Elf64_Rela* each = relocations.first; each != relocations.first + relocations.count; ++each) {
    const auto type = ELF64_R_TYPE(each->r_info);
    if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) continue;
    const std::string_view name = linkage.strings + linkage.symbols[ELF64_R_SYM(each->r_info)].st_name;
    for (const Checked& checked : checked_functions())
      if (name == checked.name) slots.push_back({bias + each->r_offset, checked.function});
  }
}

struct Reader {
  std::vector<Slot> slots;
  std::uintptr_t read_only_begin = 0;  ///< pages that the loader has made read-only
  std::uintptr_t read_only_end = 0;
};

Reader to_reader(const dl_phdr_info& info) {
  Reader reader;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const Elf64_Phdr& segment = info.dlpi_phdr[i];
    if (segment.p_type == PT_GNU_RELRO) {
      reader.read_only_begin = (info.dlpi_addr + segment.p_vaddr) / page_size() * page_size();
      reader.read_only_end = (info.dlpi_addr + segment.p_vaddr + segment.p_memsz) / page_size() * page_size();
    }
    if (segment.p_type != PT_DYNAMIC) continue;
    const Linkage linkage(reinterpret_cast<const Elf64_Dyn*>(info.dlpi_addr + segment.p_vaddr));
    if (linkage.symbols == nullptr || linkage.strings == nullptr) continue;
    add_slots(info.dlpi_addr, linkage, linkage.calls, reader.slots);
    add_slots(info.dlpi_addr, linkage, linkage.data, reader.slots);
  }
  return reader;
}

void redirect(const Reader& reader) {
  const std::size_t size = reader.read_only_end - reader.read_only_begin;
  // Where the kernel refuses, these libraries stay as they are.
  if (size != 0 && !address_space().protect(reader.read_only_begin, size, Protection::read | Protection::write)) {
    if (errno == ENOMEM) throw std::bad_alloc();
    return;
  }
  for (const Slot& slot : reader.slots)
    std::atomic_ref(*reinterpret_cast<std::uintptr_t*>(slot.place)).store(slot.function);
  if (size != 0) address_space().protect(reader.read_only_begin, size, Protection::read);
}

}  // namespace

void make_readers_throw() {
  [[maybe_unused]] static const bool is_done = [] {
    std::vector<Reader> readers;
    visit_loaded_modules([&](const dl_phdr_info& info) {
      if (is_reader(info.dlpi_name)) readers.push_back(to_reader(info));
      return true;
    });
    for (const Reader& reader : readers) redirect(reader);
    return true;
  }();
}

void throw_reader_out_of_memory() {
  ++failed_allocations;
  throw std::bad_alloc();
}

std::uint64_t failed_reader_allocations() noexcept { return failed_allocations.load(); }

}  // namespace moult::internal
