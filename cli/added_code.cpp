#include "added_code.hpp"

#include <algorithm>
#include <fstream>

#include "console.hpp"
#include "file_content.hpp"

namespace moult::internal::cli {

namespace fs = std::filesystem;

const diff::PreprocessedSource& AddedCode::text_of(const ComparedSource& source) {
  Source& known = sources_[&source];
  if (known.text == nullptr) {
    const fs::path file = source.path.string() + ".ii";
    std::vector<std::string> headers{"moult/detail/edited_variable.hpp"};
    if (known.has_classes) headers.emplace_back("moult/detail/edited_class.hpp");
    preprocess(*source.command, headers, file, comparison_.compiler(), deadline_);
    known.text = std::make_unique<diff::PreprocessedSource>(content_of(file), source.command->directory);
  }
  return *known.text;
}

void AddedCode::add(const ComparedSource& source, std::size_t place, const std::string& code,
                    const std::string& purpose) {
  text_of(source);
  Source& known = sources_.at(&source);
  known.code[place].text += code;
  if (std::ranges::find(known.purposes, purpose) == known.purposes.end()) known.purposes.push_back(purpose);
}

bool AddedCode::has_any() const {
  return std::ranges::any_of(sources_, [](const auto& each) { return !each.second.code.empty(); });
}

void AddedCode::compile() {
  for (const auto& [source, added] : sources_) {
    if (added.code.empty()) continue;
    const fs::path file = source->path.string() + ".with.ii";
    std::ofstream(file) << added.text->with(added.code);
    try {
      comparison_.recompile(*source, file);
    } catch (const CommandFailure& failure) {
      if (failure.exit() != ExitCode::usage) throw;
      throw CommandFailure(ExitCode::refused, ErrorCode::unsupported,
                           source->shown + ": what would " + join(added.purposes, ", and ") +
                               " does not compile, as the compiler says above; an update that is written by hand can "
                               "do it");
    }
  }
}

}  // namespace moult::internal::cli
