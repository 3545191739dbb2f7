// The class with one more field, which owns memory.
#include "update.hpp"

#include <stdexcept>
#include <string>

#include "account.hpp"

namespace {

std::atomic<int> rich_count{0};
std::atomic<int> made_count{0};

}  // namespace

class Rich : public moult::Updatable<Rich> {
 public:
  explicit Rich(std::uint64_t left);
  Rich(std::uint64_t left, std::uint64_t conversions);
  Rich(Rich&& other) noexcept;
  ~Rich();
  bool holds() const;
  void move(std::uint64_t much);

  std::uint64_t left;
  std::uint64_t right;
  const Rich* self;
  std::uint64_t conversions;
  std::string note = "a note that is longer than a string holds without memory";
};

Rich::Rich(std::uint64_t wanted) : Rich(wanted, 0) { ++made_count; }
Rich::Rich(std::uint64_t wanted, std::uint64_t times)
    : left(wanted), right(total - wanted), self(this), conversions(times) {
  ++rich_count;
}
Rich::Rich(Rich&& other) noexcept
    : left(other.left), right(other.right), self(this), conversions(other.conversions), note(std::move(other.note)) {
  ++rich_count;
}
Rich::~Rich() {
  self = nullptr;
  --rich_count;
}
bool Rich::holds() const { return left + right == total && self == this && note.size() == 56; }
void Rich::move(std::uint64_t much) {
  left += much;
  right -= much;
}

namespace {

using Enrichment = moult::EagerConversionUpdate<Account, Rich>;

Rich enriched(const Account& old) {
  if (!old.holds()) ++broken;
  return {old.left, old.conversions + 1};
}

Account as_before(const Rich& now) {
  if (!now.holds()) ++broken;
  return {now.left, now.conversions + 1};
}

class Failing final : public Enrichment {
 public:
  using Enrichment::Enrichment;
  void preresume_setup() override {
    delete new Account(7);  // a Rich by now
    throw std::runtime_error("trouble before the program is resumed");
  }
};

template <class UpdateT>
std::unique_ptr<moult::Update> make(bool with_inverse) {
  moult::ConversionOptions<Account, Rich> options{.rebind = moult::Rebind::yes};
  if (with_inverse) options.inverse = as_before;
  auto update = std::make_unique<UpdateT>("enrich", enriched, options);
  update->set_patience({.max_tries = 1000,
                        .sleep_time = std::chrono::milliseconds(20),
                        .stop_timeout = std::chrono::seconds(20),
                        .max_postponements = 0});
  return update;
}

}  // namespace

extern "C" const LoadedUpdate loaded_update{
    .enrich = make<Enrichment>,
    .enrich_and_fail = [] { return make<Failing>(true); },
    .rich_found = [] { return moult::DataAccessor<Rich>().size(); },
    .rich_alive = [] { return rich_count.load(); },
    .rich_made = [] { return made_count.load(); },
};
