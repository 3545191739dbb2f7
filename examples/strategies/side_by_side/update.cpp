// A new version that counts on after thirty-nine.
#include "trial.hpp"

static std::string roman_v2(int number) {
  const std::string tens[] = {"", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"};
  const std::string ones[] = {"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"};
  return tens[number / 10 % 10] + ones[number % 10];
}

MOULT_UPDATE { try_and_switch(); }
