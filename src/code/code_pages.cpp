#include "code/code_pages.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

/// Pages that are this close to each other are opened together with the pages between them.
constexpr std::size_t near_pages = 16;

constexpr Protection every_access = Protection::read | Protection::write | Protection::execute;

std::vector<std::uintptr_t> touched_pages(std::span<const CodeRange> places) {
  std::size_t page = page_size();
  std::vector<std::uintptr_t> pages;
  for (CodeRange place : places)
    for (std::uintptr_t at = value(place.begin) / page * page; at < value(place.end); at += page) pages.push_back(at);
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  return pages;
}

}  // namespace

std::vector<PageGroup> group_pages(std::span<const CodeRange> places, const std::vector<Mapping>& mappings) {
  std::size_t page = page_size();
  std::vector<PageGroup> groups;
  const Mapping* mapping = nullptr;
  for (std::uintptr_t at : touched_pages(places)) {
    bool is_same_mapping = mapping != nullptr && mapping->contains(at);
    if (!is_same_mapping) mapping = find_mapping(mappings, at);
    if (mapping == nullptr) throw Error(ErrorCode::system, "the code to be patched has been unmapped meanwhile");
    if (is_same_mapping && at - groups.back().end <= near_pages * page)
      groups.back().end = at + page;
    else
      groups.push_back({at, at + page, mapping->protection});
  }
  return groups;
}

std::vector<std::uintptr_t> CodePages::open(std::span<const CodeRange> places) {
  std::vector<std::uintptr_t> opened;
  try {
    for (const PageGroup& group : group_pages(places, space_.mappings())) open_group(group, opened);
  } catch (...) {
    close(opened);
    throw;
  }
  return opened;
}

void CodePages::open_group(const PageGroup& group, std::vector<std::uintptr_t>& opened) {
  std::size_t page = page_size();
  opened.reserve(opened.size() + (group.end - group.begin) / page);
  for (std::uintptr_t at = group.begin; at < group.end; at += page) {
    Page& entry = pages_.try_emplace(at, Page{.users = 0, .before = group.protection}).first->second;
    ++entry.users;
    opened.push_back(at);
  }
  MOULT_FAULT("code.pages.protect");
  if (!space_.protect(group.begin, group.end - group.begin, every_access))
    throw Error(ErrorCode::system, std::string("code pages cannot be made writable: ") + std::strerror(errno) +
                                       "; the system's security policy must allow it (execmod), and vm.max_map_count "
                                       "must leave room for more mappings");
}

void CodePages::close(std::span<const std::uintptr_t> pages) noexcept {
  std::size_t page = page_size();
  PageGroup run;
  auto restore = [&] {
    // If the kernel refuses, the pages stay writable; the program does not notice.
    if (run.begin != run.end) space_.protect(run.begin, run.end - run.begin, run.protection);
  };
  for (std::uintptr_t at : pages) {
    auto entry = pages_.find(at);
    MOULT_CHECK(entry != pages_.end(), "a code page is closed that nobody has opened");
    if (--entry->second.users > 0) continue;
    if (at != run.end || entry->second.before != run.protection) {
      restore();
      run = {at, at, entry->second.before};
    }
    run.end = at + page;
    pages_.erase(entry);
  }
  restore();
}

}  // namespace moult::internal
