// Exported symbols of the loaded modules, read from memory. No file is opened.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"

namespace moult::internal {

/// One loaded module's exported functions. Valid while the module stays loaded.
class DynamicSymbols final {
 public:
  /// Reads the module whose dynamic section is at `dynamic`, as dl_iterate_phdr gives it.
  DynamicSymbols(std::uintptr_t bias, const void* dynamic) noexcept;

  /// The function of that name that the module defines.
  std::optional<CodeRange> find(std::string_view name) const noexcept;
  void for_each(const std::function<void(std::string_view name, CodeRange range)>& visit) const;

 private:
  struct Hash {
    std::uint32_t bucket_count, first_hashed, bloom_size, bloom_shift;
  };
  template <class Visit>
  void walk_bucket(std::uint32_t bucket, Visit&& visit) const;
  const std::uint32_t* buckets() const noexcept;
  std::optional<CodeRange> function_at(std::uint32_t index) const noexcept;
  std::string_view name_at(std::uint32_t index) const noexcept;

  std::uintptr_t bias_;
  const void* symbols_ = nullptr;
  const char* strings_ = nullptr;
  const Hash* hash_ = nullptr;
};

/// A loaded module.
struct LoadedModule {
  std::string path;  ///< empty for the program itself
  std::uintptr_t bias = 0;
  CodeRange range;
  const void* dynamic = nullptr;
};

/// Calls `visit` for every loaded module. Takes the loader's lock, so it must not be called in a stopped program.
void for_each_module(const std::function<void(const LoadedModule&)>& visit);

/// The library that contains `address`; nothing for the program itself. Takes no lock, so it may be called in a stopped
/// program.
std::optional<CodeRange> library_around(const void* address) noexcept;

/// The mangled name that the loader looks up for entry `number` of the linkage table around `address`; empty if that
/// cannot be determined. Takes no lock, so it may be called in a stopped program.
std::string_view name_in_linkage_table(CodeAddress address, std::uint32_t number) noexcept;

}  // namespace moult::internal
