#include "threads/dynamic_symbols.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>

#include "platform/loaded_modules.hpp"

namespace moult::internal {
namespace {

/// The hash function of .gnu.hash.
std::uint32_t gnu_hash(std::string_view name) noexcept {
  std::uint32_t hash = 5381;
  for (char letter : name) hash = hash * 33 + static_cast<unsigned char>(letter);
  return hash;
}

/// glibc relocates the pointers of a dynamic section in place, except in the vdso's, which is read-only.
template <class T>
const T* pointer(const Elf64_Dyn& entry, std::uintptr_t bias) noexcept {
  std::uintptr_t address = entry.d_un.d_ptr;
  return reinterpret_cast<const T*>(address < bias ? address + bias : address);
}

LoadedModule to_module(const dl_phdr_info& info) {
  LoadedModule module;
  module.path = info.dlpi_name;
  module.bias = info.dlpi_addr;
  std::uintptr_t begin = UINTPTR_MAX;
  std::uintptr_t end = 0;
  for (const ElfW(Phdr)* header = info.dlpi_phdr; header != info.dlpi_phdr + info.dlpi_phnum; ++header) {
    if (header->p_type == PT_DYNAMIC) module.dynamic = reinterpret_cast<const void*>(info.dlpi_addr + header->p_vaddr);
    if (header->p_type != PT_LOAD) continue;
    begin = std::min<std::uintptr_t>(begin, info.dlpi_addr + header->p_vaddr);
    end = std::max<std::uintptr_t>(end, info.dlpi_addr + header->p_vaddr + header->p_memsz);
  }
  module.range = {CodeAddress{begin}, CodeAddress{std::max(begin, end)}};
  return module;
}

}  // namespace

DynamicSymbols::DynamicSymbols(std::uintptr_t bias, const void* dynamic) noexcept : bias_(bias) {
  for (const Elf64_Dyn* entry = static_cast<const Elf64_Dyn*>(dynamic); entry != nullptr && entry->d_tag != DT_NULL;
       ++entry) {
    if (entry->d_tag == DT_SYMTAB) symbols_ = pointer<Elf64_Sym>(*entry, bias);
    if (entry->d_tag == DT_STRTAB) strings_ = pointer<char>(*entry, bias);
    if (entry->d_tag == DT_GNU_HASH) hash_ = pointer<Hash>(*entry, bias);
  }
  if (symbols_ == nullptr || strings_ == nullptr) hash_ = nullptr;
}

const std::uint32_t* DynamicSymbols::buckets() const noexcept {
  const std::uint64_t* bloom = reinterpret_cast<const std::uint64_t*>(hash_ + 1);
  return reinterpret_cast<const std::uint32_t*>(bloom + hash_->bloom_size);
}

/// Calls visit(index, hash) for each symbol of the bucket until it returns false.
template <class Visit>
void DynamicSymbols::walk_bucket(std::uint32_t bucket, Visit&& visit) const {
  std::uint32_t index = buckets()[bucket];
  if (index < hash_->first_hashed) return;
  const std::uint32_t* chain = buckets() + hash_->bucket_count;
  for (;; ++index) {
    std::uint32_t hash = chain[index - hash_->first_hashed];
    if (!visit(index, hash) || (hash & 1) != 0) return;
  }
}

std::optional<CodeRange> DynamicSymbols::function_at(std::uint32_t index) const noexcept {
  const Elf64_Sym& symbol = static_cast<const Elf64_Sym*>(symbols_)[index];
  unsigned type = ELF64_ST_TYPE(symbol.st_info);
  if (symbol.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC)) return std::nullopt;
  CodeAddress begin{bias_ + symbol.st_value};
  return CodeRange{begin, begin + std::max<std::size_t>(symbol.st_size, 1)};
}

std::string_view DynamicSymbols::name_at(std::uint32_t index) const noexcept {
  return strings_ + static_cast<const Elf64_Sym*>(symbols_)[index].st_name;
}

std::optional<CodeRange> DynamicSymbols::find(std::string_view name) const noexcept {
  if (hash_ == nullptr || hash_->bucket_count == 0) return std::nullopt;
  std::uint32_t wanted = gnu_hash(name);
  std::optional<CodeRange> found;
  walk_bucket(wanted % hash_->bucket_count, [&](std::uint32_t index, std::uint32_t hash) {
    if ((hash | 1) == (wanted | 1) && name_at(index) == name) found = function_at(index);
    return !found;
  });
  return found;
}

void DynamicSymbols::for_each(const std::function<void(std::string_view, CodeRange)>& visit) const {
  if (hash_ == nullptr) return;
  for (std::uint32_t bucket = 0; bucket < hash_->bucket_count; ++bucket)
    walk_bucket(bucket, [&](std::uint32_t index, std::uint32_t) {
      if (std::optional<CodeRange> range = function_at(index)) visit(name_at(index), *range);
      return true;
    });
}

void for_each_module(const std::function<void(const LoadedModule&)>& visit) {
  visit_loaded_modules([&](const dl_phdr_info& info) {
    visit(to_module(info));
    return true;
  });
}

std::optional<CodeRange> library_around(const void* address) noexcept {
  dl_find_object found;
  if (_dl_find_object(const_cast<void*>(address), &found) != 0) return std::nullopt;
  const char* path = found.dlfo_link_map->l_name;
  if (path == nullptr || *path == '\0') return std::nullopt;
  return CodeRange{CodeAddress{reinterpret_cast<std::uintptr_t>(found.dlfo_map_start)},
                   CodeAddress{reinterpret_cast<std::uintptr_t>(found.dlfo_map_end)}};
}

std::string_view name_in_linkage_table(CodeAddress address, std::uint32_t number) noexcept {
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(value(address)), &found) != 0) return {};
  const std::uintptr_t bias = found.dlfo_link_map->l_addr;
  const Elf64_Rela* entries = nullptr;
  const Elf64_Sym* symbols = nullptr;
  const char* strings = nullptr;
  std::size_t size = 0;
  for (const Elf64_Dyn* entry = found.dlfo_link_map->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_JMPREL) entries = pointer<Elf64_Rela>(*entry, bias);
    if (entry->d_tag == DT_PLTRELSZ) size = entry->d_un.d_val;
    if (entry->d_tag == DT_SYMTAB) symbols = pointer<Elf64_Sym>(*entry, bias);
    if (entry->d_tag == DT_STRTAB) strings = pointer<char>(*entry, bias);
  }
  if (entries == nullptr || symbols == nullptr || strings == nullptr || number >= size / sizeof *entries) return {};
  return strings + symbols[ELF64_R_SYM(entries[number].r_info)].st_name;
}

}  // namespace moult::internal
