// The update that a running process has of earlier edits, and that the present ones go on from (--after).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "elf/elf_file.hpp"
#include "source_comparison.hpp"
#include "symbols/debug_info.hpp"

namespace moult::internal::cli {

class EarlierEdit final {
 public:
  /// Throws CommandFailure (refused): the file is no update made of edits of this very build of the program, or it
  /// gives objects another layout and has no debug information.
  EarlierEdit(const std::string& path, const ProgramBuild& program);

  /// Of the file.
  const std::string& name() const noexcept { return name_; }
  const std::string& build_id() const noexcept { return build_id_; }
  /// Null if it has none, and gives no objects another layout.
  const DebugInfo* debug_info() const noexcept { return debug_info_.get(); }

 private:
  std::string name_;
  std::unique_ptr<ElfFile> file_;
  std::unique_ptr<DebugInfo> debug_info_;
  std::string build_id_;
};

/// Nothing if the options name none. Throws as EarlierEdit does.
std::optional<EarlierEdit> earlier_edit(const ComparisonOptions& options, const ProgramBuild& program);

}  // namespace moult::internal::cli
