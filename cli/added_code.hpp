// Code that the compiler makes beside an edited source: it is put into the preprocessed text, where the source's own
// names mean what they mean in it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diff/preprocessed_source.hpp"
#include "source_comparison.hpp"

namespace moult::internal::cli {

class AddedCode final {
 public:
  AddedCode(SourceComparison& comparison, Deadline deadline) : comparison_(comparison), deadline_(deadline) {}

  /// Objects of classes that it defines get another layout. Before its text is asked for.
  void expect_classes(const ComparedSource& source) { sources_[&source].has_classes = true; }
  /// The source with all headers, and with moult's for what is added before them. Throws CommandFailure, as preprocess
  /// does.
  const diff::PreprocessedSource& text_of(const ComparedSource& source);
  /// At that offset of the text; npos is its end. `purpose` follows "what would": "initialise app::names".
  void add(const ComparedSource& source, std::size_t place, const std::string& code, const std::string& purpose);
  bool has_any() const;
  /// Compiles the sources again, with what was added. Throws CommandFailure (refused): it does not compile.
  void compile();

 private:
  struct Source {
    std::unique_ptr<diff::PreprocessedSource> text;
    std::map<std::size_t, diff::Replacement> code;
    std::vector<std::string> purposes;
    bool has_classes = false;
  };

  SourceComparison& comparison_;
  Deadline deadline_;
  std::map<const ComparedSource*, Source> sources_;
};

}  // namespace moult::internal::cli
