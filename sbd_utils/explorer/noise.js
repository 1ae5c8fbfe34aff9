// Standard normal numbers, the same as PyTorch's: torch.randn(n, generator=…) on the CPU, n < 16.

const SIZE = 624; // of the state of MT19937 (Matsumoto & Nishimura 1998)
const SHIFT = 397;
const TWIST = 0x9908b0df;
const BELOW_ONE = 2 ** -53;

export class Generator {
  constructor(seed) {
    this.state = new Uint32Array(SIZE);
    this.state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const before = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(before, 1812433253) + i;
    }
    this.next = SIZE;
    this.spare = null; // Box and Muller's method gives two numbers at a time
  }

  normal() {
    if (this.spare !== null) {
      const kept = this.spare;
      this.spare = null;
      return kept;
    }
    const turn = 2 * Math.PI * this.uniform();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform()));
    this.spare = radius * Math.sin(turn);
    return radius * Math.cos(turn);
  }

  // A number in [0, 1) of 53 bits: the lower ones of two integers of 32, the higher half first.
  uniform() {
    const high = this.integer() & 0x1fffff;
    return (high * 2 ** 32 + this.integer()) * BELOW_ONE;
  }

  integer() {
    if (this.next === SIZE) this.twist();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  twist() {
    const { state } = this;
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ (y & 1 ? TWIST : 0);
    }
    this.next = 0;
  }
}
