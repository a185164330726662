/**
 * Signatures that ssh-keygen (OpenSSH 10.0) and minisign 0.12 made over the same data, with keys made for this alone.
 */
export const HELLO = Buffer.from("hello\n");

export const SSH_LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMfUmlRxhWBW6MrZG9ku558Loxr4PTiog2fMiKaVbnIW me";

export const SSH_SIGNATURE = Buffer.from(`-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgx9SaVHGFYFboytkb2S7nnwujGv
g9OKiDZ8yIppVuchYAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAEDISzDuZBENcniOMkLbbzkd8avQaTfWIA66bao6bZ+jILX+U2PdasXOWPYbz902nh
m4X2xG76aFl94djtXFXbgG
-----END SSH SIGNATURE-----
`);

export const MINISIGN_KEY = "RWTZVEFzt5octFspXSJxlYjaMNno6dunnqFrraZtgcagxuzGB/FH4/b5";

export const MINISIGN_SIGNATURE = Buffer.from(`untrusted comment: signature from minisign secret key
RUTZVEFzt5octKdInOSH1efO+nLhcIjgiLqNLT6d0EGEnIL6flc9ioSW1RYTWa+YpxSy+2nd3p+KpR7stqIrm5WVCKOONbDPCQM=
trusted comment: a trusted comment
uhgZ7fLCqq8I2mynR7LPtl7HbWvDcpfC0XNicpXRLUQGGBbTJ0Il1pEzHgjL/FMmUrEPGZlVU/XfkhhoCCNtAQ==
`);
