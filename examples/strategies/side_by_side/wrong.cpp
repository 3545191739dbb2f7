// A new version that has forgotten the nine.
#include "trial.hpp"

static std::string roman_v2(int number) {
  const std::string ones[] = {"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "VIIII"};
  return std::string(number / 10, 'X') + ones[number % 10];
}

MOULT_UPDATE { try_and_switch(); }
