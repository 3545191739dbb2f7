// Why: a patched entry, its jump and the jump's target are known by their addresses. If the program closed one of their
// libraries, a call would go nowhere. And if another library were loaded at the same place, reverting the change would
// write the old library's bytes into it.
//
// How: dlopen with RTLD_NOLOAD adds a reference to what is loaded. The reference is released if the change is not made,
// so that a dry run leaves no trace, and never if it was made. The alternative would be to let such a library go and
// forget its entries; that needs an event which the dynamic loader does not provide.
//
// Limit: a program that closes a changed library and opens the same file again gets the changed one, with its variables
// as they are. That is so for every library with unique symbols (g++'s inline variables), which glibc never unloads.
#include "code/module_hold.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/fault.hpp"
#include "moult/error.hpp"
#include "platform/loaded_modules.hpp"

namespace moult::internal {
namespace {

struct NamedModule {
  std::string name;
  CodeAddress inside{};  ///< one of the addresses
};

struct ModuleSearch {
  std::vector<CodeAddress> addresses;  ///< sorted
  std::vector<NamedModule> found;
};

/// The program itself, which has no name, stays loaded anyway.
void note_module(const dl_phdr_info& info, ModuleSearch& search) {
  if (info.dlpi_name == nullptr || *info.dlpi_name == '\0') return;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const CodeAddress begin{info.dlpi_addr + segment.p_vaddr};
    const auto first = std::lower_bound(search.addresses.begin(), search.addresses.end(), begin);
    if (first == search.addresses.end() || !(*first < begin + segment.p_memsz)) continue;
    search.found.push_back({info.dlpi_name, *first});
    return;
  }
}

}  // namespace

const void* module_with(const void* address) noexcept {
  dl_find_object object{};
  return _dl_find_object(const_cast<void*>(address), &object) == 0 ? object.dlfo_link_map : nullptr;
}

ModuleHold::ModuleHold(std::vector<CodeAddress> addresses) {
  MOULT_FAULT("code.hold");
  ModuleSearch search{std::move(addresses), {}};
  std::sort(search.addresses.begin(), search.addresses.end());
  visit_loaded_modules([&](const dl_phdr_info& info) {
    note_module(info, search);
    return true;
  });
  ModuleHold held;  // releases the modules before the refused one
  held.handles_.reserve(search.found.size());
  for (const NamedModule& module : search.found) {
    void* const handle = ::dlopen(module.name.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
    if (handle != nullptr) held.handles_.push_back(handle);
    if (handle == nullptr || module_with(reinterpret_cast<const void*>(value(module.inside))) != handle)
      throw Error(ErrorCode::not_found, module.name + ": is being unloaded; load it again before it is changed");
  }
  handles_ = std::move(held.handles_);
}

ModuleHold::~ModuleHold() {
  for (void* const handle : handles_) ::dlclose(handle);
}

}  // namespace moult::internal
