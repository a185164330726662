/** Chains of certificates: honest ones, and the same damaged in ways that have names. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { element, identifier, integer, NULL, sequence } from "../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../src/trust/asn1/oid.js";
import { context, TAG } from "../../../src/trust/asn1/tag.js";
import {
  Authority,
  type CertificateRequest,
  distinguishedName,
  extension,
} from "../../../src/trust/issuing/authority.js";
import type { SigningIdentity } from "../../../src/trust/issuing/sign-cms.js";
import type { Certificate } from "../../../src/trust/x509/certificate.js";
import { shuffled } from "../../support/damage.js";
import { COMMON_NAME, nameOfValues, ORGANIZATION, STRING_TYPES } from "../../support/names.js";

export type Next = (below: number) => number;

/** When every honest certificate is in its time; milliseconds since the epoch, whole seconds. */
export const AT = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const IN_TIME = { notBefore: AT - 100 * DAY, notAfter: AT + 100 * DAY };

/** A chain and whoever may sign with its leaf. */
export interface Chain {
  readonly anchor: Certificate;
  /** Between the anchor and the leaf, in no order that matters. */
  readonly untrusted: readonly Certificate[];
  readonly leaf: SigningIdentity;
  /** Another signer, right below the anchor. */
  readonly second: SigningIdentity;
}

/** What is asked for: the anchor's request, those of the authorities below it, and the leaf's. */
interface Plan {
  anchor: Request;
  authorities: Request[];
  leaf: Request;
  /** Changes the chain once it is made. */
  after?: (chain: Chain, authorities: readonly Authority[]) => Chain;
}

type Request = { -readonly [Field in keyof CertificateRequest]: CertificateRequest[Field] };

/** Keys are made once: they are what takes long. */
const keys = {
  ec: Array.from({ length: 8 }, () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
  p384: Array.from({ length: 2 }, () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey),
  rsa: Array.from({ length: 4 }, () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
  ed: Array.from({ length: 2 }, () => generateKeyPairSync("ed25519").privateKey),
  weak: [generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey],
  exponent: [generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 }).privateKey],
  curve: [generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey],
};
/** Keys that sign with SHA-256, and those with others. */
const usualKeys = [...keys.ec, ...keys.rsa];
const honestKeys = [...usualKeys, ...keys.p384, ...keys.ed];

/** Whom no anchor knows. */
export const STRANGER: SigningIdentity = Authority.create({
  subject: "Stranger",
  key: keys.ec[4] as KeyObject,
  ...IN_TIME,
});

/**
 * One chain with up to three authorities below the anchor, damaged as `damage` says. `leaf`: which keys its leaf may
 * have.
 */
export function makeChain(damage: ChainDamage, next: Next, leaf: "any" | "usual" = "any"): Chain {
  const order = shuffled(honestKeys, next);
  const request = (subject: string): Request => ({ subject, key: order.pop() as KeyObject, ...IN_TIME });
  const plan: Plan = {
    anchor: request("Root"),
    authorities: Array.from({ length: 1 + next(3) }, (_, depth) => request(`Authority ${depth}`)),
    leaf: { ...request("Leaf"), ...(leaf === "usual" ? { key: usualKeys[next(usualKeys.length)] as KeyObject } : {}) },
  };
  CHAIN_DAMAGES[damage](plan, next);
  const root = Authority.create(plan.anchor);
  const authorities = [root];
  for (const wanted of plan.authorities) authorities.push((authorities.at(-1) as Authority).subordinate(wanted));
  const untrusted = shuffled(
    authorities.slice(1).map(({ certificate }) => certificate),
    next,
  );
  const issued = (authorities.at(-1) as Authority).issue(plan.leaf);
  const second = root.issue({ subject: "Second", key: keys.ec[3] as KeyObject, ...IN_TIME });
  const chain: Chain = { anchor: root.certificate, untrusted, leaf: issued, second };
  return plan.after?.(chain, authorities) ?? chain;
}

export type ChainDamage = keyof typeof CHAIN_DAMAGES;

const first = (plan: Plan): Request => plan.authorities[0] as Request;
const last = (plan: Plan): Request => plan.authorities.at(-1) as Request;
const any = (plan: Plan, next: Next): Request =>
  [...plan.authorities, plan.leaf][next(plan.authorities.length + 1)] as Request;
const add = (request: Request, ...extensions: readonly Buffer[]): void => {
  request.extensions = [...(request.extensions ?? []), ...extensions];
};

const dns = (name: string): Buffer => element(context(2, false), Buffer.from(name));
const constraints = (permitted: readonly Buffer[], excluded: readonly Buffer[]): Buffer =>
  extension(
    EXTENSION.nameConstraints,
    sequence(
      ...(permitted.length === 0 ? [] : [element(context(0, true), ...permitted.map((name) => sequence(name)))]),
      ...(excluded.length === 0 ? [] : [element(context(1, true), ...excluded.map((name) => sequence(name)))]),
    ),
    true,
  );
const names = (...values: readonly Buffer[]): Buffer => extension(EXTENSION.subjectAltName, sequence(...values));
const directory = (name: Buffer): Buffer => element(context(4, true), name);
const WIDE = Object.values(STRING_TYPES).filter(({ wide }) => wide);
/** OpenSSL reads no VisibleString in a name. */
const NARROW = Object.entries(STRING_TYPES).flatMap(([type, one]) =>
  type === "NumericString" || type === "VisibleString" ? [] : [one],
);
const written = (text: string, next: Next, types = NARROW): Buffer =>
  (types[next(types.length)] as (typeof types)[number]).write(text);
const organization = (text: string, next: Next, types = NARROW): Buffer =>
  nameOfValues([ORGANIZATION, written(text, next, types)]);
const named = (text: string, common: string, next: Next, types = NARROW): Buffer =>
  nameOfValues([ORGANIZATION, written(text, next, types)], [COMMON_NAME, written(common, next)]);
const UNKNOWN = "\x2a\x03\x04";
const POLICY = identifier("1.3.6.1.4.1.99999.1");

/** Damages by name; what is called `honest` leaves the chain good. */
export const CHAIN_DAMAGES = {
  honest: () => {},
  "honest, extended": (plan: Plan, next: Next) => {
    add(any(plan, next), extension(UNKNOWN, NULL));
    add(
      plan.leaf,
      names(dns("host.example.org")),
      extension(EXTENSION.certificatePolicies, sequence(sequence(POLICY))),
    );
  },
  "honest, within name constraints": (plan: Plan) => {
    add(first(plan), constraints([dns("example.org")], [dns("bad.example.org")]));
    add(plan.leaf, names(dns("host.example.org")));
  },
  "honest, an authority without key usage": (plan: Plan) => {
    first(plan).keyUsage = null;
  },
  "honest, path length just enough": (plan: Plan) => {
    first(plan).authority = plan.authorities.length - 1;
  },
  "leaf expired": ({ leaf }: Plan) => {
    leaf.notAfter = AT - 1000;
  },
  "leaf expires this second": ({ leaf }: Plan) => {
    leaf.notAfter = AT;
  },
  "leaf not valid yet": ({ leaf }: Plan) => {
    leaf.notBefore = AT + 1000;
  },
  "authority expired": (plan: Plan) => {
    first(plan).notAfter = AT - DAY;
  },
  "anchor expired": ({ anchor }: Plan) => {
    anchor.notAfter = AT - DAY;
  },
  "authority that is none": (plan: Plan) => {
    last(plan).authority = false;
    last(plan).keyUsage = [5, 6];
  },
  "authority without keyCertSign": (plan: Plan) => {
    last(plan).keyUsage = [0, 6];
  },
  "anchor without keyCertSign": ({ anchor }: Plan) => {
    anchor.keyUsage = [0, 6];
  },
  "path too long": (plan: Plan) => {
    plan.authorities.push({ ...last(plan), subject: "One more", key: keys.ec[0] as KeyObject });
    first(plan).authority = Math.max(0, plan.authorities.length - 2);
  },
  "path too long for the anchor": (plan: Plan) => {
    plan.anchor.authority = plan.authorities.length - 1;
  },
  "unknown critical extension": (plan: Plan, next: Next) => add(any(plan, next), extension(UNKNOWN, NULL, true)),
  "name excluded": (plan: Plan) => {
    add(first(plan), constraints([], [dns("example.org")]));
    add(plan.leaf, names(dns("ok.example.net"), dns("host.example.org")));
  },
  "name not permitted": (plan: Plan) => {
    add(first(plan), constraints([dns("example.org")], []));
    add(plan.leaf, names(dns("hostexample.org")));
  },
  "subject not permitted": (plan: Plan) => {
    add(first(plan), constraints([element(context(4, true), distinguishedName("Elsewhere"))], []));
  },
  "address not permitted": (plan: Plan, next: Next) => {
    add(first(plan), constraints([element(context(7, false), Buffer.from([10, 0, 0, 0, 255, 0, 0, 0]))], []));
    add(plan.leaf, names(element(context(7, false), Buffer.from([next(256), 1, 2, 3]))));
  },
  "e-mail not permitted": (plan: Plan, next: Next) => {
    add(first(plan), constraints([element(context(1, false), Buffer.from("example.org"))], []));
    add(
      plan.leaf,
      names(
        element(
          context(1, false),
          Buffer.from(["a@example.org", "a@b.example.org", "a@example.net"][next(3)] as string),
        ),
      ),
    );
  },
  "URI not permitted": (plan: Plan, next: Next) => {
    add(first(plan), constraints([element(context(6, false), Buffer.from(".example.org"))], []));
    add(
      plan.leaf,
      names(
        element(
          context(6, false),
          Buffer.from(["https://a.example.org/x", "https://example.org/", "urn:x"][next(3)] as string),
        ),
      ),
    );
  },
  "policy asked for and not there": (plan: Plan) => {
    add(first(plan), extension(EXTENSION.policyConstraints, sequence(element(context(0, false), Buffer.of(0))), true));
  },
  "anyPolicy mapped": (plan: Plan) => {
    const mapping = sequence(sequence(identifier("2.5.29.32.0"), POLICY));
    add(first(plan), extension(EXTENSION.policyMappings, mapping));
  },
  "leaf for no signatures": ({ leaf }: Plan) => {
    leaf.keyUsage = [4];
  },
  "leaf for servers": ({ leaf }: Plan) => {
    leaf.usage = ["serverAuth"];
  },
  "leaf with a weak key": ({ leaf }: Plan) => {
    leaf.key = keys.weak[0] as KeyObject;
  },
  "authority with a weak key": (plan: Plan) => {
    last(plan).key = keys.weak[0] as KeyObject;
  },
  "leaf with RSA exponent 3": ({ leaf }: Plan) => {
    leaf.key = keys.exponent[0] as KeyObject;
  },
  "leaf on another curve": ({ leaf }: Plan) => {
    leaf.key = keys.curve[0] as KeyObject;
  },
  "authority missing": (plan: Plan) => {
    plan.after = (chain, [, first]) => ({
      ...chain,
      untrusted: chain.untrusted.filter((one) => one !== first?.certificate),
    });
  },
  "authority replaced by one of its name": (plan: Plan) => {
    plan.after = (chain, [root, first]) => {
      const impostor = (root as Authority).subordinate({ subject: "Authority 0", ...IN_TIME }).certificate;
      return { ...chain, untrusted: chain.untrusted.map((one) => (one === first?.certificate ? impostor : one)) };
    };
  },
  "honest, beside an authority of the same name": (plan: Plan) => {
    plan.after = (chain, [root]) => {
      const other = (root as Authority).subordinate({ subject: "Authority 0", ...IN_TIME });
      return { ...chain, untrusted: [other.certificate, ...chain.untrusted] };
    };
  },
  "leaf signed by another key than its authority's": (plan: Plan) => {
    plan.after = (chain, authorities) => {
      const likeness = new Authority({ ...(authorities.at(-1) as Authority), key: keys.ec[1] as KeyObject });
      return { ...chain, leaf: likeness.issue({ ...plan.leaf, key: keys.ec[2] as KeyObject }) };
    };
  },
  "authority key identifier of another": (plan: Plan) => {
    plan.after = (chain, authorities) => {
      const issuer = authorities.at(-1) as Authority;
      const other = (authorities[0] as Authority).subordinate({
        subject: `Authority ${authorities.length - 2}`,
        ...IN_TIME,
      });
      return { ...chain, leaf: new Authority({ ...other, key: issuer.key }).issue(plan.leaf) };
    };
  },
  "anchor of its name": (plan: Plan) => {
    plan.after = (chain) => ({ ...chain, anchor: Authority.create({ subject: "Root", ...IN_TIME }).certificate });
  },
  "leaf signed by itself": (plan: Plan) => {
    plan.after = (chain) => ({ ...chain, leaf: Authority.create({ ...plan.leaf, authority: false }) });
  },
  "leaf issued by a leaf": (plan: Plan) => {
    plan.after = (chain) => {
      const { leaf } = chain;
      const issuer = new Authority({ ...leaf, pem: { certificate: "", key: "" } });
      return {
        ...chain,
        untrusted: [...chain.untrusted, leaf.certificate],
        leaf: issuer.issue({ subject: "Below", ...IN_TIME }),
      };
    };
  },
  "authorities in a circle": (plan: Plan) => {
    plan.after = (chain) => {
      const one = Authority.create({ subject: "One", ...IN_TIME });
      const two = Authority.create({ subject: "Two", ...IN_TIME });
      const circle = [
        two.subordinate({ subject: "One", key: one.key, ...IN_TIME }),
        one.subordinate({ subject: "Two", key: two.key, ...IN_TIME }),
      ];
      return { ...chain, untrusted: circle.map(({ certificate }) => certificate), leaf: one.issue(plan.leaf) };
    };
  },
  "honest, and certified by another root too": (plan: Plan) => {
    plan.after = (chain, [, first]) => {
      const other = Authority.create({ subject: "Other root", ...IN_TIME });
      const cross = other.subordinate({ subject: "Authority 0", key: (first as Authority).key, ...IN_TIME });
      return { ...chain, untrusted: [cross.certificate, ...chain.untrusted] };
    };
  },
  "no authority key identifier": (plan: Plan, next: Next) => {
    any(plan, next).without = [EXTENSION.authorityKeyIdentifier];
  },
  "no subject key identifier": (plan: Plan, next: Next) => {
    any(plan, next).without = [EXTENSION.subjectKeyIdentifier];
  },
  "basic constraints that are not critical": (plan: Plan) => {
    const { authority } = first(plan);
    first(plan).without = [EXTENSION.basicConstraints];
    const length = typeof authority === "number" ? [integer(authority)] : [];
    add(first(plan), extension(EXTENSION.basicConstraints, sequence(element(TAG.boolean, Buffer.of(0xff)), ...length)));
  },
  "name constraints that are not critical": (plan: Plan) => {
    const limits = sequence(element(context(1, true), sequence(dns("bad.example.org"))));
    add(first(plan), extension(EXTENSION.nameConstraints, limits));
  },
  "policy constraints that are not critical": (plan: Plan) => {
    add(first(plan), extension(EXTENSION.policyConstraints, sequence(element(context(0, false), Buffer.of(9)))));
  },
  "a limit on anyPolicy that is not critical": (plan: Plan) => {
    add(first(plan), extension(EXTENSION.inhibitAnyPolicy, integer(9)));
  },
  "name constraints in the leaf": ({ leaf }: Plan) => add(leaf, constraints([], [dns("bad.example.org")])),
  "leaf for certificates": ({ leaf }: Plan) => {
    leaf.keyUsage = [0, 5];
  },
  "leaf without a subject": ({ leaf }: Plan) => {
    leaf.subject = sequence();
  },
  "honest, leaf of critical names alone": ({ leaf }: Plan) => {
    leaf.subject = sequence();
    add(leaf, extension(EXTENSION.subjectAltName, sequence(dns("host.example.org")), true));
  },
  "authority without a subject": (plan: Plan) => {
    last(plan).subject = sequence();
  },
  "honest, permitted in another string type": (plan: Plan, next: Next) => {
    add(first(plan), constraints([directory(organization("Good Corp", next))], []));
    for (const request of [...plan.authorities.slice(1), plan.leaf])
      request.subject = named("  good   CORP", request.subject as string, next);
  },
  "excluded in another string type": (plan: Plan, next: Next) => {
    add(first(plan), constraints([], [directory(organization("Bad Corp", next))]));
    plan.leaf.subject = named("bad  corp ", "Leaf", next);
  },
  "honest, another name than what is excluded": (plan: Plan, next: Next) => {
    add(first(plan), constraints([], [directory(organization("Bad Corp", next))]));
    plan.leaf.subject = named("Good Corp", "Leaf", next);
  },
  "excluded, equal by string preparation alone": (plan: Plan, next: Next) => {
    add(first(plan), constraints([], [directory(organization("Stra\u00dfe", next, WIDE))]));
    plan.leaf.subject = named("STR\u00adASSE", "Leaf", next, WIDE);
  },
  "serial number of zero": ({ leaf }: Plan) => {
    leaf.serial = 0n;
  },
  "serial number of forty bytes": ({ leaf }: Plan) => {
    leaf.serial = BigInt(`0x${"5a".repeat(40)}`);
  },
} as const satisfies Readonly<Record<string, (plan: Plan, next: Next) => void>>;
