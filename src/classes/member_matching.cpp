#include "classes/member_matching.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "symbols/class_names.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

bool has_virtual_bases(const ClassLayout& layout) {
  return std::any_of(layout.bases.begin(), layout.bases.end(), [](const ClassBase& base) { return base.is_virtual; });
}

/// "Data::print" of "int Data::print(int) const".
std::string without_parameters(const std::string& demangled) { return std::string(qualified_name(demangled)); }

class Matching final {
 public:
  Matching(const ClassMembers& old, const ClassMembers& replacement) : old_(old), replacement_(replacement) {
    for (const MemberCode& code : replacement.code)
      replacement_by_name_[as_old(code.symbol.demangled)].push_back(&code);
    for (const MemberFunction& function : replacement.layout.functions)
      replacement_declared_.try_emplace(as_old(function.name), &function);
    for (const MemberFunction& function : old.layout.functions)
      old_declared_.try_emplace(without_abi_tags(function.name), &function);
  }

  MemberMatch run() {
    for (const MemberCode& code : old_.code) match(code);
    refuse_shared_code();
    for (const auto& [name, codes] : replacement_by_name_)
      if (!is_old(name)) result_.added.push_back(codes.front()->symbol.demangled);
    return std::move(result_);
  }

 private:
  std::string as_old(const std::string& name) const {
    return renamed_member(name, replacement_.layout.name, old_.layout.name);
  }

  bool is_old(const std::string& name) const {
    return std::any_of(old_.code.begin(), old_.code.end(),
                       [&](const MemberCode& code) { return without_abi_tags(code.symbol.demangled) == name; });
  }

  void match(const MemberCode& old) {
    const auto known = replacement_by_name_.find(without_abi_tags(old.symbol.demangled));
    const MemberCode* replacement = known != replacement_by_name_.end() ? choose(known->second, old.variant) : nullptr;
    if (replacement == nullptr) return report_missing(old);
    const std::string difference = difference_of(old.symbol.demangled);
    if (!difference.empty()) return report(WhyUnmatched::other_signature, old.symbol.demangled, difference);
    result_.pairs.push_back({old, *replacement});
  }

  const MemberCode* choose(const std::vector<const MemberCode*>& candidates, char variant) const {
    const auto of_variant = [&](char wanted) {
      const auto found = std::find_if(candidates.begin(), candidates.end(),
                                      [&](const MemberCode* code) { return code->variant == wanted; });
      return found != candidates.end() ? *found : nullptr;
    };
    const MemberCode* same = of_variant(variant);
    const bool stands_in = (variant == '1' || variant == '2') && !has_virtual_bases(replacement_.layout);
    return same == nullptr && stands_in ? of_variant(variant == '1' ? '2' : '1') : same;
  }

  /// What a name does not tell: whether it is static, and what it returns.
  std::string difference_of(const std::string& name) const {
    const auto old = old_declared_.find(without_abi_tags(name));
    const auto replacement = replacement_declared_.find(without_abi_tags(name));
    if (old == old_declared_.end() || replacement == replacement_declared_.end()) return {};
    const bool was_static = old->second->kind == MemberKind::static_method;
    const bool is_static = replacement->second->kind == MemberKind::static_method;
    if (was_static != is_static)
      return name + (is_static ? ": is static in " : ": is not static in ") + replacement_.layout.name.text();
    const std::string result = renamed(replacement->second->result, replacement_.layout.name, old_.layout.name);
    if (old->second->result.empty() || result.empty() || result == old->second->result) return {};
    return name + ": returns " + readable(replacement->second->result) + " in " + replacement_.layout.name.text() +
           ", not " + readable(old->second->result);
  }

  void report(WhyUnmatched why, const std::string& function, std::string text) {
    const bool is_known = std::any_of(result_.unmatched.begin(), result_.unmatched.end(),
                                      [&](const UnmatchedMember& known) { return known.function == function; });
    if (!is_known) result_.unmatched.push_back({why, function, std::move(text)});
  }

  void report_missing(const MemberCode& old) {
    const std::string& name = old.symbol.demangled;
    const std::string& replacement = replacement_.layout.name.text();
    const auto declared = replacement_declared_.find(without_abi_tags(name));
    if (declared != replacement_declared_.end() || replacement_by_name_.contains(without_abi_tags(name))) {
      const std::string called = declared != replacement_declared_.end() ? declared->second->name : name;
      return report(WhyUnmatched::without_code, name,
                    name + ": " + called + (old.variant == '0' ? " that deletes" : "") +
                        " has no code in the update; define it outside of the class or mark it MOULT_UPDATABLE, or let "
                        "`moult apply` or `moult build` compile the source, which keep it");
    }
    const std::string others = namesakes(name);
    if (!others.empty())
      return report(WhyUnmatched::other_signature, name, name + ": " + replacement + " has only " + others);
    report(WhyUnmatched::missing, name,
           name + ": " + replacement + " has no such function; add it, with code of its own");
  }

  /// The functions of the new class that differ in their parameters only.
  std::string namesakes(const std::string& name) const {
    std::set<std::string> found;
    const auto add_if_alike = [&](const std::string& as_old, const std::string& own) {
      if (without_parameters(as_old) == without_parameters(without_abi_tags(name))) found.insert(own);
    };
    for (const auto& [other, function] : replacement_declared_) add_if_alike(other, function->name);
    for (const auto& [other, codes] : replacement_by_name_) add_if_alike(other, codes.front()->symbol.demangled);
    std::string text;
    for (const std::string& other : found) text += (text.empty() ? "" : ", ") + other;
    return text;
  }

  /// Variants of one function may share an entry, and are one pair then. Two functions may not.
  void refuse_shared_code() {
    std::map<CodeAddress, const MemberPair*> by_entry;
    std::vector<MemberPair> kept;
    for (const MemberPair& pair : result_.pairs) {
      const auto [known, is_new] = by_entry.try_emplace(pair.old.symbol.range.begin, &pair);
      if (is_new) {
        kept.push_back(pair);
        continue;
      }
      const MemberPair& other = *known->second;
      if (other.old.symbol.demangled != pair.old.symbol.demangled &&
          other.replacement.symbol.range.begin != pair.replacement.symbol.range.begin)
        report(WhyUnmatched::shared_code, pair.old.symbol.demangled,
               pair.old.symbol.demangled + ": shares its code with " + other.old.symbol.demangled +
                   "; build without identical code folding");
    }
    result_.pairs = std::move(kept);
  }

  const ClassMembers& old_;
  const ClassMembers& replacement_;
  std::map<std::string, std::vector<const MemberCode*>> replacement_by_name_;  ///< as the old class's are called
  std::map<std::string, const MemberFunction*> replacement_declared_;
  std::map<std::string, const MemberFunction*> old_declared_;
  MemberMatch result_;
};

}  // namespace

MemberMatch match_members(const ClassMembers& old, const ClassMembers& replacement) {
  return Matching(old, replacement).run();
}

}  // namespace moult::internal
