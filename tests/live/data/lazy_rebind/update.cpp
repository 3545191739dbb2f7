// The class with one more field.
#include "update.hpp"

#include <stdexcept>

#include "card.hpp"

class Rich : public moult::Updatable<Rich> {
 public:
  explicit Rich(std::uint64_t left);
  Rich(std::uint64_t left, std::uint64_t conversions);
  bool holds() const;
  void move(std::uint64_t much);

  std::uint64_t left;
  std::uint64_t right;
  std::uint64_t conversions;
  std::uint64_t proof;
};

Rich::Rich(std::uint64_t wanted) : Rich(wanted, 0) {}
Rich::Rich(std::uint64_t wanted, std::uint64_t times)
    : left(wanted), right(total - wanted), conversions(times), proof(left ^ right) {}
bool Rich::holds() const { return left + right == total && proof == (left ^ right); }
void Rich::move(std::uint64_t much) {
  left += much;
  right -= much;
  proof = left ^ right;
}

namespace {

moult::LazyObjects newest;

/// Calls no function of the old class: calls reach the new one's when it runs.
Rich enriched(const Card& old) {
  if (old.left + old.right != total) ++broken;
  return {old.left, old.conversions + 1};
}

Card as_before(const Rich& now) {
  if (!now.holds()) ++broken;
  return {now.left, now.conversions + 1};
}

class Enrichment : public moult::LazyConversionUpdate<Card, Rich> {
 public:
  using LazyConversionUpdate::LazyConversionUpdate;
  void apply() override {
    LazyConversionUpdate::apply();
    newest = objects();
  }
};

class Failing final : public Enrichment {
 public:
  using Enrichment::Enrichment;
  void preresume_setup() override {
    delete new Card(7);  // a Rich by now
    throw std::runtime_error("trouble before the program is resumed");
  }
};

template <class UpdateT>
std::unique_ptr<moult::Update> make(moult::Untouched untouched) {
  moult::ConversionOptions<Card, Rich> options{.rebind = moult::Rebind::yes, .inverse = as_before};
  auto update = std::make_unique<UpdateT>("enrich", enriched, options, untouched);
  update->set_patience({.max_tries = 1000,
                        .sleep_time = std::chrono::milliseconds(20),
                        .stop_timeout = std::chrono::seconds(20),
                        .max_postponements = 0});
  return update;
}

}  // namespace

extern "C" const LoadedUpdate loaded_update{
    .enrich = make<Enrichment>,
    .enrich_and_fail = [] { return make<Failing>(moult::Untouched::left); },
    .objects = [] { return newest; },
    .rich_found = [] { return moult::DataAccessor<Rich>().size(); },
};
